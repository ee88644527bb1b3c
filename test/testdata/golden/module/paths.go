package main

import (
	"path"
	"strings"
	"unicode"

	"golang.org/x/mod/module"
)

var pathList = []string{
	"", "/", ".", "..", "a", "a.b", "x.y/z", "x.y/", "/x.y", "x.y//z", "x.y/../z", "x.y/./z", "x.y/.z", "x.y/z.", "x.y/..z",
	"github.com/BurntSushi/toml", "github.com/Azure/azure-sdk-for-go", "GitHub.com/a/b", "x.Y/z", "golang.org/x/mod", "example.com",
	"example.com/v1", "example.com/v2", "example.com/v02", "example.com/v2.0", "example.com/v0", "example.com/v", "example.com/v10/v3",
	"example.com/x/v2/v3", "example.com/v2x", "example.com/xv2", "v2", "/v2", "a.b/v2", "v1.2/v2", "x.y/v99999999999999999999",
	"gopkg.in/yaml.v2", "gopkg.in/yaml.v0", "gopkg.in/yaml.v1", "gopkg.in/yaml.v02", "gopkg.in/yaml", "gopkg.in/yaml.v2-unstable",
	"gopkg.in/yaml.v-unstable", "gopkg.in/yaml.v0-unstable", "gopkg.in/yaml.v00-unstable", "gopkg.in/go-yaml/yaml.v3", "gopkg.in/v2", "gopkg.in/.v2", "gopkg.in/yaml.v2/x",
	"gopkg.in/yaml.v2.v3", "gopkg.in/", "gopkg.in", "gopkg.in/yaml.v", "gopkg.in/yamlv2",
	"nodot/x", "-x.y/z", "x-.y/z", "x.y/-z", "x_y.z/a", "x~y.z/a", "x.y/a~1", "x.y/a~", "x.y/~1", "x.y/a~1b", "x.y/a~1.b", "x.y/a~b~1", "x.y/~", "x.y/a.b~1",
	"x.y/con", "x.y/CON", "x.y/Con.txt", "x.y/aux.x", "x.y/com1", "x.y/com0", "x.y/COM9.z", "x.y/lpt5", "x.y/nul", "x.y/prn.", "x.y/conx", "x.y/com10", "x.y/lptx", "con.x/y", "com1.x/y", "x.y/com", "x.y/lpt",
	"x.y/a b", "x.y/a+b", "x.y/a@b", "x.y/a!b", "x.y/a%2fb", "x.y/a%b", "x.y/a\\b", "x.y/a:b", "x.y/a*b", "x.y/a?b", "x.y/a#b", "x.y/a\x00b", "x.y/a\nb", "x.y/a\x7fb", "x.y/a\x1bb", "x.y/a|b", "x.y/a<b", "x.y/a'b", "x.y/a\"b", "x.y/a`b",
	"x.y/é", "x.y/аzure", "x.y/ｚ", "x.y/ſ", "x.y/K", "xé.y/z", "x.y/日本語", "x.y/💩", "x.y/a\u200bb", "x.y/a\u202eb", "x.y/a\ufeffb", "x.y/a\u0301",
	"x.y/" + strings.Repeat("a", 300), "x.y/" + strings.Repeat("a/", 300) + "b", "0.0/0", "1.2.3.4/x", "x..y/z", ".x.y/z", "x.y./z", "x.y/z..w", "x.y/...", "x.y/_", "x.y/a=b", "x.y/a,b", "x.y/(a)", "x.y/[a]", "x.y/{a}", "x.y/a&b", "x.y/a$b", "x.y/a;b", "x.y/a^b",
	"sum.golang.org", "golang.org/toolchain", "std", "cmd", "C:/x", "c:\\x", "//x.y/z", "file:///x.y", "https://x.y/z", "x.y:80/z", "user@x.y/z", "x.y/z@v1.0.0", "LICENSE", "go.mod", "dir/file.go", "a/b/C.go", "vendor/x.y/z", "日本/ファイル.go", "a/\u01c5", "a/\u02b0", "a/\u00aa", "a/\u2160", "a/١", "a/᭄", "ﬁ", "a/con", "a/Aux.c", "a/com5.h", ".github/x", "..a", "a..", " ", " a", "a ", "a/ /b", "-", "-a/b",
}

var escapedList = []string{
	"github.com/!burnt!sushi/toml", "github.com/!azure", "x.y/!", "x.y/!!a", "x.y/a!", "x.y/!A", "x.y/A", "x.y/!1", "x.y/!é", "x.y/é", "!x.y/z", "x.y/z", "x.y/!/z", "!", "!!", "", "v1.0.0", "v1.0.0-!r!c1", "v1.0.0-RC1",
	"v1.0.0+incompatible", "master", "!master", "feature!x", "a/b", "-x", "v1.0.0-!", "con", "!con", "!c!o!n", "v1.", ".", "..", "v1 0", "v1@2", "v1*", "v1%2f", "a\x00", "a\n", "é", "@latest", "[x]", "{a}", "a^b", "a~1", "a&b", "a$b", "a;b", "#1", "a\\b", "a:b",
}

func writePaths() {
	type vector struct {
		Path      string `json:"path"`
		Module    bool   `json:"module"`
		File      bool   `json:"file"`
		Clean     bool   `json:"clean"`
		Split     any    `json:"split"`
		Escaped   any    `json:"escaped"`
		AsVersion any    `json:"asVersion"`
	}
	var out []vector
	for _, p := range pathList {
		prefix, major, ok := module.SplitPathVersion(p)
		v := vector{Path: p, Module: module.CheckPath(p) == nil, File: module.CheckFilePath(p) == nil, Clean: path.Clean(p) == p}
		if ok {
			v.Split = []string{prefix, major}
		}
		v.Escaped = orNil(module.EscapePath(p))
		v.AsVersion = orNil(module.EscapeVersion(p))
		out = append(out, v)
	}
	write("paths.json", out)

	type unescaped struct {
		Escaped string `json:"escaped"`
		Path    any    `json:"path"`
		Version any    `json:"version"`
	}
	var un []unescaped
	for _, e := range append(escapedList, pathList...) {
		un = append(un, unescaped{e, orNil(module.UnescapePath(e)), orNil(module.UnescapeVersion(e))})
	}
	write("escaped.json", un)
}

// writeCharacters stores, for all of Unicode, which characters are letters and how they fold.
func writeCharacters() {
	var letters [][2]rune
	var folds [][2]rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.IsLetter(r) {
			if n := len(letters); n > 0 && letters[n-1][1] == r-1 {
				letters[n-1][1] = r
			} else {
				letters = append(letters, [2]rune{r, r})
			}
		}
		if m := foldedRune(r); m != r {
			folds = append(folds, [2]rune{r, m})
		}
	}
	write("letters.json", letters)
	write("folds.json", folds)
}

// foldedRune is what the collision check of x/mod/zip maps r to.
func foldedRune(r rune) rune {
	for {
		r0 := r
		r = unicode.SimpleFold(r0)
		if r <= r0 {
			break
		}
	}
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}
