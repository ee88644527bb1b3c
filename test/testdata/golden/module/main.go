// Command module writes the golden vectors in this directory: run it here with "go run .".
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	writePaths()
	writeVersions()
	writePatterns()
	writeCharacters()
	writeFuzz()
	writeModFiles()
	writeZips()
	writeDirs()
}

// write stores a list as JSON with one element on each line, so that changes can be read.
func write[T any](file string, list []T) {
	var out bytes.Buffer
	out.WriteString("[\n")
	for i, v := range list {
		line, err := marshal(v)
		check(err)
		out.Write(line)
		if i < len(list)-1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
	}
	out.WriteString("]\n")
	check(os.WriteFile(file, out.Bytes(), 0o666))
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// orNil is what the vectors hold in place of a result when there was an error.
func orNil(v any, err error) any {
	if err != nil {
		return nil
	}
	return v
}
