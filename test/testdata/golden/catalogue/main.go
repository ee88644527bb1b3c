// Command catalogue writes the golden vectors in this directory: run it here with "go run .".
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	"strings"
)

type vector struct {
	File     string `json:"file"`
	Name     any    `json:"name"`
	Doc      string `json:"doc"`
	Synopsis string `json:"synopsis"`
	// Whether any system builds the file.
	Built bool `json:"built"`
}

func main() {
	var out bytes.Buffer
	out.WriteString("[\n")
	list := files()
	for i, file := range list {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		check(e.Encode(read(file)))
		out.Write(bytes.TrimRight(b.Bytes(), "\n"))
		if i < len(list)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	check(os.WriteFile("files.json", out.Bytes(), 0o666))
}

func read(file string) vector {
	v := vector{File: file}
	parsed, err := parser.ParseFile(token.NewFileSet(), "x.go", file, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		return v
	}
	v.Name = parsed.Name.Name
	v.Doc = parsed.Doc.Text()
	v.Synopsis = doc.Synopsis(v.Doc)
	v.Built = v.Name != "documentation" && builtSomewhere(file)
	return v
}

// builtSomewhere asks go/build for some systems: more than the list of constraints tells apart.
func builtSomewhere(file string) bool {
	for _, system := range []string{"linux/amd64", "windows/amd64", "darwin/arm64", "android/arm64", "ios/arm64", "plan9/386", "js/wasm", "solaris/amd64"} {
		for _, cgo := range []bool{true, false} {
			c := build.Default
			c.GOOS, c.GOARCH, _ = strings.Cut(system, "/")
			c.CgoEnabled = cgo
			c.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(file)), nil }
			if ok, err := c.MatchFile("/", "x.go"); err == nil && ok {
				return true
			}
		}
	}
	return false
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
