package main

import (
	"encoding/base64"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// lcg is a linear congruential generator that any language can repeat. Its low bits are poor: take the high ones.
type lcg uint32

func (g *lcg) below(n int) int {
	*g = *g*1664525 + 1013904223
	return int(uint32(*g)>>8) % n
}

func (g *lcg) text(fragments []string, most int) string {
	s := ""
	for range 1 + g.below(most) {
		s += fragments[g.below(len(fragments))]
	}
	return s
}

var pathFragments = []string{
	"x.y", "x.y/", "x.y/", "x.y/", "golang.org/x/", "a", "b", "A", "Z", "/", "/", "/", ".", "..", "-", "_", "~", "~1", "v", "/v", "/v2", "/v1", "/v0", "1", "0", "23", "gopkg.in/", ".v2", ".v1", "-unstable",
	"x.y/z", "x.y/z", "a.b/v2", "gopkg.in/a.v1", "gopkg.in/b.v2", "con", "aux", "COM1", "lpt9.", "!", "!a", "%", "+", " ", "@", "é", "日", "ſ", "\u202e", "\x00", "\\", ":", "*", "$", "go.mod",
}

var versionFragments = []string{
	"v1", "v1.2", "v1.2.3", "v1.2.3", "v2.0.0", "v0.0.0-", "v1.0.0-", "v0.0.1-0.", "v", ".", "-", "+", "0", "1", "01", "12", "pre", "rc1", "-pre.", "-0.", "20240102030405", "-20240102030405-", "20240230030405", "-abcdef123456", "abc", "ABC", "v0.0.0-20240102030405-abcdef123456", "v1.2.3-0.20240102030405-", "v2.0.1-pre.0.20240102030405-", "+incompatible", "+incompatible", "+meta", "_", "é", " ", "/", "!",
}

// writeFuzz stores Go's verdicts on generated paths and versions, one bit each.
func writeFuzz() {
	type vector struct {
		Function  string   `json:"function"`
		Seed      uint32   `json:"seed"`
		Count     int      `json:"count"`
		Most      int      `json:"most"`
		Fragments []string `json:"fragments"`
		Versions  []string `json:"versions,omitempty"`
		Accepted  int      `json:"accepted"`
		Verdicts  string   `json:"verdicts"`
	}
	run := func(v vector, judge func(path, version string) bool) vector {
		g := lcg(v.Seed)
		bits := make([]byte, (v.Count+7)/8)
		for i := range v.Count {
			s := g.text(v.Fragments, v.Most)
			t := ""
			if v.Versions != nil {
				t = g.text(v.Versions, v.Most)
			}
			if judge(s, t) {
				v.Accepted++
				bits[i/8] |= 1 << (i % 8)
			}
		}
		v.Verdicts = base64.StdEncoding.EncodeToString(bits)
		return v
	}
	write("fuzz.json", []vector{
		run(vector{Function: "checkPath", Seed: 1, Count: 50000, Most: 5, Fragments: pathFragments},
			func(s, _ string) bool { return module.CheckPath(s) == nil }),
		run(vector{Function: "checkFilePath", Seed: 2, Count: 50000, Most: 5, Fragments: pathFragments},
			func(s, _ string) bool { return module.CheckFilePath(s) == nil }),
		run(vector{Function: "unescapePath", Seed: 3, Count: 50000, Most: 4, Fragments: pathFragments},
			func(s, _ string) bool { _, err := module.UnescapePath(s); return err == nil }),
		run(vector{Function: "isValid", Seed: 4, Count: 50000, Most: 5, Fragments: versionFragments},
			func(s, _ string) bool { return semver.IsValid(s) }),
		run(vector{Function: "isPseudoVersion", Seed: 5, Count: 50000, Most: 5, Fragments: versionFragments},
			func(s, _ string) bool { return module.IsPseudoVersion(s) }),
		run(vector{Function: "unescapeVersion", Seed: 6, Count: 50000, Most: 4, Fragments: versionFragments},
			func(s, _ string) bool { _, err := module.UnescapeVersion(s); return err == nil }),
		run(vector{Function: "checkModuleVersion", Seed: 7, Count: 50000, Most: 3, Fragments: pathFragments, Versions: versionFragments},
			func(s, t string) bool { return module.Check(s, t) == nil }),
		run(vector{Function: "isCanonical", Seed: 8, Count: 50000, Most: 3, Fragments: versionFragments},
			func(s, _ string) bool { return s != "" && module.CanonicalVersion(s) == s }),
	})
}
