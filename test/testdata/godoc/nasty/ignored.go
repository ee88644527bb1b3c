//go:build ignore || (windows && !linux)

package main

func Ignored() {}
