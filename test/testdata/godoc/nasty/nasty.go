// Package nasty has whatever makes reading Go declarations hard.
//
// Deprecated: nobody should.
package nasty // not a comment of the package

import (
	"C"
	"fmt"
	str "strings"
)

// A free comment, which documents nothing.

const single = "unexported"

// Grouped constants, some of them hidden.
const (
	A, b = 1, 2 // both

	// C is documented.
	C Kind = iota + 3
	d
	E // carries the type
	f

	// G follows a gap.
	G = `raw
	string // no comment }{`
	Long_Ω = 'x'
)

const (
	First Kind = iota
	Second
	third
	Fourth
)

const (
	hidden1 Kind = 1 << iota
	Shown1
	hidden2
	Shown2 // last

	hidden3
)

var X, y = 1, "}{"

// Handlers are functions.
var (
	Handler = func(a int) error {
		return fmt.Errorf("} %q", '{') // )
	}
	Table = map[string][]struct{ A, B int }{
		"a":   {{1, 2}},
		"bcd": {{3, 4}}, // trailing
	}
	_, Err error
	Sum    = 1 +
		2*3
)

// Kind is a kind.
type Kind uint8

// String is a method.
func (k Kind) String() string { return str.Repeat("}", int(k)) }

func (Kind) hidden() {}

// NewKind makes one.
func NewKind() (Kind, error) { return 0, nil }

// KindsOf makes some.
func KindsOf(in ...<-chan int) []*Kind { return nil }

func notShown() {}

// Generic has parameters.
type Generic[K comparable, V interface{ ~int | ~string }] struct {
	// Key is the key.
	//	indented
	//go:directive
	Key K `json:"key,omitempty"` // behind

	value V

	Deep struct {
		Inner, other map[string]func(a, b int) (c chan<- bool, err error)
		hidden       int // kept: go doc filters the outermost only
	}

	*Base
	base
	fmt.Stringer
	_    int
	Func func(
		a int,
		b string,
	) error
}

// Pair returns a generic.
func Pair[K comparable, V interface{ ~int | ~string }](k K, v V) *Generic[K, V] { return nil }

// Get is a method of a generic type.
func (g *Generic[K, _]) Get() K { return g.Key }

// Array is no generic.
type Array [N * 2]int

const N = 2

// Base is embedded.
type Base struct{ hidden int }

// Promoted comes with Base.
func (b *Base) Promoted() {}

type base struct{}

// FromBase comes with base, which nobody sees.
func (base) FromBase(x int) {}

// Embeds has what base has.
type Embeds struct {
	base
}

type (
	// Inner is in a group.
	Inner interface {
		// M does.
		M(a, b int) (n int, err error)
		unexported()
		fmt.Stringer
		error
		hiddenInterface
	}

	hiddenInterface interface{ m() }

	// Alias is one.
	Alias = Generic[string, int]

	Empty      struct{}
	Small      struct{ A int }
	Any        interface{}
	Constraint interface {
		~int | ~string
		comparable
	}
)

type Fn func(yield func(int, string) bool)

type Shadow struct {
	string
}

func (s Shadow) Error() string { return "" }

func MakeAny() (any, error) { return nil, nil }

func TwoTypes() (Kind, *Base) { return 0, nil }

func Multi(
	first int, // one
	second ...string,
) (
	result map[[2]string]struct {
		A int
	},
) {
	return
}

func unfinished() { _ = "\"}{`"; _ = '\''; _ = `"` /* } */ }
