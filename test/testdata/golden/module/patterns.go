package main

import (
	"path"

	"golang.org/x/mod/module"
)

var globList = []string{
	"", ",", "/", "*", "**", "*/*", "*/*/*", "?", "x.y", "x.y/", "x.y/*", "x.y/z", "*.y", "*.y/z", "*.corp.example", "*.corp.example/*", "git.corp.example/team", "corp.example/a?c", "corp.example/[ab]", "corp.example/[a-c]*", "corp.example/[^a]*", "corp.example/[^a-c]",
	"[", "[]", "[a", "[a-", "[a-]", "[-a]", "[^", "[^]", "[]a]", "[^]a]", "[\\]a]", "[a\\-c]", "[\\", "\\", "a\\", "\\*", "\\[x\\]", "*\\", "*[", "a*[", "a*b[", "*a*b*c", "*a*b*c*", "*x*/*z*", "x*[*]y", "x.y/z,corp.example", "corp.example,,x.y", " x.y", "x.y ,a.b", "[x-z].y", "[z-x].y", "x.?", "?.?", "x.y//z", "/x.y", "x.y/*/v2", "GITHUB.com/*", "github.com/[A-Z]*", "[^/]*", "x[/]y", "x?y", "x.y/**", "é", "[é].y", "[^é].y", "*é", "{a,b}.y", "a.b/c/d/e/f", "*.*.*", "x.y/z/*", "*[a-z]", "[*]", "[a*]*", "a[b*c]d", "*?", "?*", "*?*?*", "[!a].y", "]", "a]b", "-", "[a-b-c]", "[--0]", "[a-b]]", "\\\\",
}

var targetList = []string{
	"x.y", "x.y/z", "x.y/z/w", "x.y/zz", "a.y/z", "corp.example", "corp.example/a", "corp.example/abc", "corp.example/abc/d", "corp.example/b", "corp.example/d", "git.corp.example", "git.corp.example/team", "git.corp.example/team/lib", "git.corp.example/teams", "corp.example.org/a", "github.com/Azure/x", "github.com/azure/x", "a.b/c/d/e/f", "a.b/c/d/e/f/g", "a.b/c/d/e", "xaxbxc", "abc", "", "x.y/v2", "x.y/a/v2", "a-c.d/e", "notcorp.example/a",
}

func writePatterns() {
	type vector struct {
		Globs   string `json:"globs"`
		Matches string `json:"matches"`
		// WellFormed is path.Match's verdict on the pattern taken as one glob.
		WellFormed bool `json:"wellFormed"`
	}
	write("targets.json", targetList)
	var out []vector
	for _, g := range globList {
		v := vector{Globs: g}
		for _, t := range targetList {
			if module.MatchPrefixPatterns(g, t) {
				v.Matches += "1"
			} else {
				v.Matches += "0"
			}
		}
		_, err := path.Match(g, "")
		v.WellFormed = err == nil
		out = append(out, v)
	}
	write("patterns.json", out)
}
