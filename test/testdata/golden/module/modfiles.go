package main

import (
	"crypto/sha256"
	"encoding/hex"
	"go/version"
	"strings"

	"golang.org/x/mod/modfile"
)

var modFileList = []string{
	"", "\n", "module x.y/z", "module x.y/z\n", "module x.y/z\r\n\r\ngo 1.21\r\n", "\ufeffmodule x.y/z\n", "module \"x.y/z\"\n", "module `x.y/z`\n", "module 'x.y/z'\n", "module x.y/z // comment\n", "// Deprecated: use w.\nmodule x.y/z\n", "module x.y/z // Deprecated: gone\n", "// a\n//\n// Deprecated: use w\n// instead.\n//\n// b\nmodule x.y/z\n", "// Deprecated: not attached\n\nmodule x.y/z\n", "module (\n\tx.y/z\n)\n", "// Deprecated: block\nmodule (\n\tx.y/z\n)\n", "module (\n)\n", "module ()\n", "module () x\n", "module x.y/z\nmodule x.y/w\n", "module x.y z\n", "module\n",
	"go 1.21\nmodule x.y/z\n", "module x.y/z\ngo 1.21.0\n", "go 1.21rc1", "go 1", "go 1.21.0.1", "go v1.21", "go 1.21x", "go 1.21-pre", "go 1.9.9.9", "go 01.2", "go 1.02", "go 1.21\ngo 1.22\n", "go\n", "go 1.21 1.22\n", "go (\n1.21\n)\n", "toolchain go1.21.0", "toolchain default", "toolchain go2", "toolchain go1.21.0\ntoolchain go1.22.0", "toolchain", "godebug default=go1.21\n", "godebug (\na=b\nc=d\n)\n", "godebug a", "godebug a=b,c",
	"require x.y/z v1.2.3", "require x.y/z v1.2.3 // indirect", "require x.y/z v1.2.3 //indirect", "require x.y/z v1.2.3 // indirect; why", "require x.y/z v1.2.3 // indirect why", "require x.y/z v1.2.3 // not indirect", "require x.y/z v1.2.3// indirect", "require x.y/z v1.2.3 /* indirect */", "require (\n\tx.y/z v1.2.3\n\tx.y/w v1.0.0 // indirect\n)\n", "require (\n\n// c\n\n\tx.y/z v1.2.3\n\n)\n", "require ( // c\n\tx.y/z v1.2.3\n) // d\n", "require ()\n", "require () // x\n", "require (x.y/z v1.2.3)\n", "require (\nx.y/z v1.2.3)\n", "require (\nx.y/z v1.2.3\n) x\n", "require (\nx.y/z v1.2.3\n", "require x.y/z", "require x.y/z v1", "require x.y/z v1.2", "require x.y/z v1.2.3+meta", "require x.y/z v2.0.0", "require x.y/z v2.0.0+incompatible", "require x.y/z/v2 v2.0.0", "require x.y/z/v2 v1.0.0", "require x.y/z/v1 v1.0.0", "require x.y/z master", "require x.y/z latest", "require x.y/z v1.2.3 extra", "require \"x.y/z\" \"v1.2.3\"", "require \"x.y/\\x7a\" v1.2.3", "require \"x.y/\\u00e9\" v1.2.3", "require \"x.y/\\q\" v1.2.3", "require \"x.y v1.2.3", "require \"x.y\nz\" v1.2.3", "require X v1.2.3", "require ../x v1.2.3", "require x.y/z v1.2.3 v1.2.4", "require x\"y v1.0.0", "require \"\" v1.0.0", "require gopkg.in/yaml.v2 v2.4.0", "require gopkg.in/check.v1 v0.0.0-20161208181325-20d25e280405", "require gopkg.in/yaml v2.4.0", "require x.y/z v0.0.0-20240102030405-abcdef123456",
	"exclude x.y/z v1.2.3", "exclude x.y/z", "replace x.y/z => ../z", "replace x.y/z v1.2.3 => ../z", "replace x.y/z => a.b/z v1.0.0", "replace x.y/z v1.2.3 => a.b/z v1.0.0", "replace x.y/z => a.b/z", "replace x.y/z => ../z v1.0.0", "replace x.y/z => a.b/z@v1.0.0", "replace => ../z", "replace x.y/z =>", "replace x.y/z v1.0.0 => a b c", "replace x.y/z => ..\\z", "replace x.y/z => C:\\z", "replace x.y/z => c:/z", "replace x.y/z => /z", "replace x.y/z => .", "replace x.y/z => .z", "replace x.y/z => ...", "replace (\n\tx.y/z => ../z\n\tx.y/w v1.0.0 => a.b/w v1.0.0\n)\n", "replace x.y/z/v1 => ../z", "replace x.y/z v2.0.0 => ../z", "replace x.y/z => a.b/z/v2 v1.0.0",
	"retract v1.0.0", "retract v1.0.0 // why", "// why\nretract v1.0.0", "// why\n\nretract v1.0.0", "retract [v1.0.0, v1.1.0]", "retract [v1.0.0,v1.1.0] // range", "retract [v1.0.0 v1.1.0]", "retract [v1.0.0, v1.1.0", "retract (\n\tv1.0.0 // one\n\t// two\n\tv1.1.0\n\t[v1.2.0, v1.3.0]\n\n\tv1.4.0\n)\n", "// all\nretract (\n\tv1.0.0\n\tv1.1.0 // own\n\n\tv1.2.0\n)\n", "retract v1.0.0 extra", "retract", "retract (", "retract ( x", "retract bad", "retract \"v1.0.0\"", "retract 'v1.0.0'", "retract [v1.0.0, v1.1.0] extra", "retract [ ( ]",
	"tool x.y/z/cmd", "tool (\n\tx.y/a\n\tx.y/b\n)\n", "tool a b", "ignore ./x", "ignore (\n\tx\n\ty\n)\n", "ignore a b", "ignore 'x'", "unknown x y z", "unknown (\n\tx\n)\n", "unknown x (\n\tx\n)\n", "require x (\n\tx.y/z v1.0.0\n)\n", "unknown ( x", "unknown () x", "unknown ( ) ( )", "()\n", ")\n", "(\n)\n", "( x\n", "[ ] { } ,\n", "/* x */\nmodule x.y/z\n", "module x.y/z/* x */\n", "module x.y//z\n", "module /\n", "// only a comment", "//\n//\n", "module x.y/z\x00\n", "module x.y/z\x07", "module\tx.y/z\t\n", "module x.y/z\u00a0\n", "module\u00a0x.y/z\n", "module x.y/\u200b\n", "module \u65e5\u672c\n", "module x.y/z \\\n", "\"module\" x.y/z\n", "x \"a\\\nb\" // c\nmodule x.y/z\n", "x \"a\\", "x \"", "x `", "x `a\\` y\n", "module x.y/z // a\n// b\nrequire x.y/w v1.0.0 // indirect\n",
	"// Package comment\n\n// Deprecated: yes\nmodule x.y/z // trailing\n\n// c\ngo 1.21 // d\n", "module x.y/z\n\nrequire (\n\t// indirect\n\tx.y/w v1.0.0\n)\n", "module x.y/z\nrequire\n\tx.y/w v1.0.0\n", "require \"x.y/\\141\" v1.0.0", "require \"x.y/\\1\" v1.0.0", "require \"x.y/\\400\" v1.0.0", "require \"x.y/\\'\" v1.0.0", "require \"x.y/\\\"\" v1.0.0", "require \"x.y/\\ud800\" v1.0.0", "require \"x.y/\\U0001F600\" v1.0.0", "require \"x.y/\\U00110000\" v1.0.0", "require \"x.y/\\a\\b\\f\\n\\r\\t\\v\\\\\" v1.0.0", "module \"x\\\ny\"\n",
}

var modFileFragments = []string{
	"module ", "require ", "require (", "retract ", "retract (", "go ", "replace ", "exclude ", "tool ", "ignore ", "toolchain go1.22.0", "godebug a=b", "unknown ",
	"x.y/z ", "x.y/w/v2 ", "gopkg.in/a.v1 ", "v1.0.0 ", "v1.0.0 ", "v2.1.0 ", "v2.0.0+incompatible ", "v1 ", "1.21", "1.21rc1 ", "[", "]", ",", " => ", "../z ", "(", ")", "\n)\n", "\n)\n", "\n", "\n", "\n", "\n\n", "\r\n", "// indirect", " // indirect\n", "// Deprecated: x\n", "// c\n", "//", "\t", "\"x.y/q\" ", "\"", "'", "`", "\\", "/*", "\x00", "é", "\"\\x41\" ",
}

type modFileSummary struct {
	Module     string     `json:"module"`
	Deprecated string     `json:"deprecated"`
	Go         string     `json:"go"`
	Toolchain  string     `json:"toolchain"`
	Require    [][]string `json:"require"`
	Retract    [][]string `json:"retract"`
	Replace    [][]string `json:"replace"`
	Exclude    [][]string `json:"exclude"`
}

func summary(f *modfile.File, err error) any {
	if err != nil {
		return nil
	}
	s := modFileSummary{Require: [][]string{}, Retract: [][]string{}, Replace: [][]string{}, Exclude: [][]string{}}
	if f.Module != nil {
		s.Module, s.Deprecated = f.Module.Mod.Path, f.Module.Deprecated
	}
	if f.Go != nil {
		s.Go = f.Go.Version
	}
	if f.Toolchain != nil {
		s.Toolchain = f.Toolchain.Name
	}
	for _, r := range f.Require {
		indirect := ""
		if r.Indirect {
			indirect = "indirect"
		}
		s.Require = append(s.Require, []string{r.Mod.Path, r.Mod.Version, indirect})
	}
	for _, r := range f.Retract {
		s.Retract = append(s.Retract, []string{r.Low, r.High, r.Rationale})
	}
	for _, r := range f.Replace {
		s.Replace = append(s.Replace, []string{r.Old.Path, r.Old.Version, r.New.Path, r.New.Version})
	}
	for _, r := range f.Exclude {
		s.Exclude = append(s.Exclude, []string{r.Mod.Path, r.Mod.Version})
	}
	return s
}

func workSummary(text string) any {
	f, err := modfile.ParseWork("go.work", []byte(text), nil)
	if err != nil {
		return nil
	}
	use, replace := []string{}, [][]string{}
	for _, u := range f.Use {
		use = append(use, u.Path)
	}
	for _, r := range f.Replace {
		replace = append(replace, []string{r.Old.Path, r.Old.Version, r.New.Path, r.New.Version})
	}
	return map[string]any{"use": use, "replace": replace}
}

var workFileList = []string{
	"go 1.21\n\nuse ./a\n", "go 1.21\nuse (\n\t./a\n\t../b // c\n)\n", "use a b", "use", "use \"a b\"", "use 'a'", "replace x.y/z => ../z", "replace (\n\tx.y/z v1.0.0 => a.b/z v1.0.0\n)\n", "toolchain go1.22.0", "godebug a=b", "module x.y/z", "require x.y/z v1.0.0", "go (\n1.21\n)\n", "use x (\n)\n", "unknown ()\n", "use (\n", "", "// c\n",
}

var goVersionList = []string{
	"", "1", "1.0", "1.1", "1.16", "1.17", "1.17rc1", "1.17.0", "1.18", "1.20", "1.20.0", "1.20rc1", "1.21", "1.21rc1", "1.21rc2", "1.21beta1", "1.21alpha1", "1.21.0", "1.21.1", "1.21.10", "1.21.9", "1.22", "1.100", "2", "2.0", "10.1", "1.21.0rc1", "1.21rc", "1.21rc01", "1.021", "01.21", "v1.21", "go1.21", "1.x", "1.21.", "1.", ".1", "1.99999999999999999999",
}

func writeModFiles() {
	type vector struct {
		Text   string `json:"text"`
		Lax    any    `json:"lax"`
		Strict any    `json:"strict"`
	}
	var out []vector
	for _, t := range modFileList {
		out = append(out, vector{t, summary(modfile.ParseLax("go.mod", []byte(t), nil)), summary(modfile.Parse("go.mod", []byte(t), nil))})
	}
	write("modfiles.json", out)

	type workVector struct {
		Text string `json:"text"`
		File any    `json:"file"`
	}
	var work []workVector
	for _, t := range workFileList {
		work = append(work, workVector{t, workSummary(t)})
	}
	write("workfiles.json", work)

	// Generated files: the first four hexadecimal digits of the SHA-256 of each summary, dashes where Go refuses.
	digest := func(v any) string {
		if v == nil {
			return "----"
		}
		b, err := marshal(v)
		check(err)
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:2])
	}
	g := lcg(9)
	var lax, strict strings.Builder
	for range modFileCount {
		text := g.text(modFileFragments, 9)
		lax.WriteString(digest(summary(modfile.ParseLax("go.mod", []byte(text), nil))))
		strict.WriteString(digest(summary(modfile.Parse("go.mod", []byte(text), nil))))
	}
	write("modfile-fuzz.json", []any{map[string]any{
		"seed": 9, "count": modFileCount, "most": 9, "fragments": modFileFragments, "lax": lax.String(), "strict": strict.String(),
	}})

	var orders []any
	for _, v := range goVersionList {
		line := ""
		for _, w := range goVersionList {
			line += string("<=>"[version.Compare("go"+v, "go"+w)+1])
		}
		orders = append(orders, []string{v, line})
	}
	write("go-versions.json", orders)
}

const modFileCount = 20000
