//go:build unix && amd64

/*
Package nasty is documented twice.

	code
*/
package nasty

// OnLinux is here.
func OnLinux(struct{ A, B int }, interface{ M() }, func(func()) func()) (func(), [3]chan (<-chan int)) {
	return nil, [3]chan (<-chan int){}
}
