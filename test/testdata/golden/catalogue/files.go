package main

import "strings"

const clause = "package p\n"

// fileList holds whole files.
var fileList = []string{
	"// Package p does things.\npackage p\n",
	"// Package p does things.\n// It does more.\npackage p\n",
	"// Package p does things\n// over two lines. And more.\npackage p\n",
	"// Package p does things.\n\npackage p\n",
	"// Copyright 2024 Somebody. All rights reserved.\n// Use is governed.\n\n// Package p does things.\npackage p\n",
	"// Copyright 2024 Somebody. All rights reserved.\npackage p\n",
	"// COPYRIGHT of nobody\npackage p\n",
	"// All rights reserved. Package p\npackage p\n",
	"// Author: somebody\npackage p\n",
	"// Authentication for all.\npackage p\n",
	"// Licensed under the Apache License, Version 2.0 (the \"License\");\n// you may not use this file.\npackage p\n",
	"/*\nPackage p does things.\n\nAnd more.\n*/\npackage p\n",
	"/* Package p does things. */\npackage p\n",
	"/* Package p does things. */ package p\n",
	"/* Package p does things. */\n\npackage p\n",
	"/*\n\tPackage p is indented.\n\tAll of it.\n*/\npackage p\n",
	"/*\n * Package p with stars.\n * More.\n */\npackage p\n",
	"/**\n * Package p of a Java person.\n */\npackage p\n",
	"/* a */\n/* Package p second. */\npackage p\n",
	"/* a\n b */ // c\npackage p\n",
	"// a\n/* Package p\n   mixed. */\n// c\npackage p\n",
	"// one\n\n\n// two\n// three\npackage p\n",
	"//Package p without a space.\npackage p\n",
	"//\tindented by a tab\npackage p\n",
	"//   indented more\npackage p\n",
	"//\n// Package p after an empty line.\n//\npackage p\n",
	"// Package p\r\n// has CRLF. Yes.\r\npackage p\r\n",
	"/*\r\nPackage p has CRLF.\r\n*/\r\npackage p\r\n",
	"// Package p.\r\n\r\npackage p\r\n",
	"\ufeff// Package p has a BOM.\npackage p\n",
	"\ufeffpackage p\n",
	"package p\n",
	"package p",
	"package p; import \"fmt\"\n",
	"package\tp // Package p behind.\n",
	"  \n\t package p\n",
	"package main\n\nfunc main() {}\n",
	"// Command p is a program.\npackage main\n",
	"// P is a program\npackage main\n",
	"package größe\n",
	"package documentation\n",
	"// Package p.\npackage documentation\n",
	"",
	"// only a comment\n",
	"/* not closed\npackage p\n",
	"packagep\n",
	"package 1p\n",
	"func main() {}\n",
	"<html>package p</html>\n",
	"//go:generate stringer\n// Package p after a directive.\npackage p\n",
	"// Package p before a directive.\n//go:generate stringer\npackage p\n",
	"//go:generate stringer\npackage p\n",
	"//line x.y:1\n// Package p\npackage p\n",
	"// go:generate with a space\npackage p\n",
	"//nolint:all\npackage p\n",
	"//nolint\npackage p\n",
	"//TODO: something\npackage p\n",
	"//export x\npackage p\n",
	"// trailing spaces   \n// here.\t \npackage p\n",
	"// Package p does things.\n  package p\n",
	"\n\n\n// Package p far down.\npackage p\n",
	"// Package p.\n//\n// # Heading\npackage p\n",
	"//go:build linux\n\n// Package p for Linux.\npackage p\n",
	"//go:build linux\n// Package p for Linux.\npackage p\n",
	"// Package p.\n\n//go:build ignore\n\npackage p\n",
	"/*\n//go:build ignore\n*/\npackage p\n",
	"/* x */ //go:build ignore\npackage p\n",
	"package p\n//go:build ignore\n",
	"// +build ignore\n\npackage p\n",
	"// +build ignore\npackage p\n",
	"// +build ignore\n// Package p\npackage p\n",
	"//+build ignore\n\npackage p\n",
	"// +build linux windows\n\n// Package p.\npackage p\n",
	"// +build ignore linux\n\npackage p\n",
	"// +build ignore,linux\n\npackage p\n",
	"// +build linux\n// +build ignore\n\npackage p\n",
	"// +build !ignore\n\npackage p\n",
	"// +build !linux\n\npackage p\n",
	"// +build\n\npackage p\n",
	"//go:build linux\n// +build ignore\n\npackage p\n",
	"//go:build ignore\n// +build linux\n\npackage p\n",
	"// Copyright\n\n// +build tools\n\n// Package tools.\npackage tools\n",
	"// text\n// +build ignore\n\npackage p\n",
	"// Package p says // +build ignore\npackage p\n",
}

// sentenceList holds comments without their markers.
var sentenceList = []string{
	"Package p.", "Package p. More.", "Package p by J. Doe does. More.", "Package p by JR. Doe does.", "Package p v1.2.3 is it. Yes.",
	"Package p e.g. this. And that.", "Package p.\tTabbed.", "Package p.\nNext line.", "Package p\n\nparagraph.", "Package p does!  Two   spaces.\tAnd. More.",
	"包 p 做事。还有。", "包 p 做事。", "包 p．还有", "Ist schön. Ja.", "Ends in É. Yes. No.", "A. B. C.",
	"    code", "\tcode\nPackage p.", "- item\n- item", "  - item", "1. first\n2. second", "# Heading\n\nPackage p.", "# Heading", "#Heading", "#", "# ", "## Heading",
	"Package p\n  - a list\n  - more", "Package p:\n\tcode here", "Package p {\n\tcode here\n}", "func main() {\n\tcode here\n}", "Text\nfunc main() {\n\tcode here\n}", "Text \\\n\tmore",
	"- item\n  wrapped", "Text\n- item\n  wrapped", "Text:\n* one\n* two", "* one\n\ttwo", "\n\nPackage p.", "   ", "", "\n",
	"Package p uses [fmt.Println] for output.", "Package p uses [fmt].", "Package p uses [net/http].", "Package p uses [net/http.Client].", "Package p uses [*net/http.Client].", "Package p uses [net/http.Client.Do].",
	"Package p has [T].", "Package p has [T.M].", "Package p has [x.T].", "Package p has [text].", "Package p x[fmt]y.", "Package p ([fmt]).", "Package p [fmt]s.", "Package p [fmt", "Package p [[fmt]].", "Package p []fmt].", "Package p [example.com/x/y].", "Package p [example.com].", "Package p [example.com/x.T].", "Package p [a b/c].",
	"Package p [RFC 1234] is it.\n\n[RFC 1234]: https://example.com", "Package p [x](https://example.com/x) has markdown.", "[x]: https://example.com\n\nPackage p.", "[x]: https://example.com", "[x]: nothing\n\nPackage p.",
	"Package p says ``hello'' to you.", "Package p says `hello' to you.", "Package p has ```code``` here.", "Package p isn't '' it.", "Package p at https://example.com/x.y. More.", "Package p `code` here.",
	"Copyright 2024.", "copyright", "AUTHORS of it.", "all rights reserved", "The author is.", "Copyrighted.", " Copyright 2024.",
	"Package p is <b>bold</b> & \"quoted\".", "Package p has \u202e bidi.", "Package p\u00a0with nbsp.", "Package p\u2028sep.", "Package p.\u00a0More.", "...", ". . .", "a.b.c", "x", "Package p…", "Package p... More.", "Package p?! More. Yes.",
	"Package p\n===\n\nMore.", "-----\nPackage p.\n-----", "p\n\np does.", "Package\tp\twith\ttabs.",
	"Title\n\nText", "* ", "*", "•  x", "10) x", "1) x y.", "1 x.", "+ x.", "-x.", "word - x.",
}

// constraintList holds what follows //go:build.
var constraintList = []string{
	"ignore", "linux", "!linux", "windows && amd64", "linux && ignore", "linux || ignore", "!ignore", "tools", "!tools", "cgo", "!cgo", "unix", "!unix", "go1.18", "!go1.18", "gc", "!gc", "gccgo", "!gccgo", "appengine", "!appengine", "js && wasm", "purego || !amd64", "!purego && amd64", "(linux || darwin) && !ignore", "!(linux && ignore)", "!(linux || !ignore)", "integration && linux", "((((linux))))", "!!linux", "", "linux windows", "linux &&", "(linux", "linux)", "&& linux", "linux, windows", "linux & windows", "a.b", "ﬁ", "!", "()", "linux // comment", "ios", "android && !cgo", "race", "boringcrypto",
}

func files() []string {
	list := append([]string{}, fileList...)
	for _, s := range sentenceList {
		if !strings.Contains(s, "*/") {
			list = append(list, "/*"+s+"*/\n"+clause)
		}
		list = append(list, "// "+strings.ReplaceAll(s, "\n", "\n// ")+"\n"+clause)
	}
	for _, c := range constraintList {
		list = append(list, "//go:build "+c+"\n\n"+clause)
	}
	return list
}
