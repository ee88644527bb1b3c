package main

import (
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

var versionList = []string{
	"", "v", "v1", "v1.", "v1.2", "v1.2.", "v1.2.3", "V1.2.3", "1.2.3", "v01.2.3", "v1.02.3", "v1.2.03", "v0.0.0", "v00.0.0", "v1.2.3.4", "v1.2-pre", "v1-pre", "v1+meta", "v1.2+meta",
	"v1.2.3-", "v1.2.3-pre", "v1.2.3-pre.1", "v1.2.3-pre.01", "v1.2.3-pre.0", "v1.2.3-0", "v1.2.3-00", "v1.2.3-01a", "v1.2.3--", "v1.2.3-a..b", "v1.2.3-.a", "v1.2.3-a.", "v1.2.3-a_b", "v1.2.3-é", "v1.2.3-A", "v1.2.3-a",
	"v1.2.3+", "v1.2.3+meta", "v1.2.3+meta.01", "v1.2.3+a..b", "v1.2.3+a+b", "v1.2.3-pre+meta", "v1.2.3-pre+", "v1.2.3+incompatible", "v2.0.0+incompatible", "v2.0.0", "v2.0.0-pre+incompatible", "v2.0.0+Incompatible", "v2.0.0+incompatible.1",
	"v10.0.0", "v9.0.0", "v1.10.0", "v1.9.0", "v1.2.10", "v1.2.9", "v99999999999999999999.0.0", "v100000000000000000000.0.0", "v1.2.3-10", "v1.2.3-9", "v1.2.3-99999999999999999999", "v1.2.3-100000000000000000000", "v1.2.3-9a", "v1.2.3-alpha", "v1.2.3-alpha.1", "v1.2.3-alpha.beta", "v1.2.3-beta", "v1.2.3-beta.2", "v1.2.3-beta.11", "v1.2.3-rc.1", "v1.2.3-rc1", "v1.2.3-RC1", "v1.2.3-a-b", "v1.2.3-a.b",
	"v0.0.0-20240102030405-abcdef123456", "v1.0.0-20240102030405-abcdef123456", "v2.0.0-20240102030405-abcdef123456", "v3.0.0-20240102030405-abcdef123456", "v0.0.0-20240102030405-abcdef123456+incompatible", "v2.3.4-0.20240102030405-abcdef123456", "v2.3.5-0.20240102030405-abcdef123456+incompatible", "v1.2.0-0.20240102030405-abcdef123456", "v1.2.10-0.20240102030405-abcdef123456", "v1.2.1000-0.20240102030405-abcdef123456", "v1.2.99999999999999999999999-0.20240102030405-abcdef123456",
	"v1.2.3-pre.0.20240102030405-abcdef123456", "v1.2.3-pre.1.0.20240102030405-abcdef123456", "v1.2.3-pre.0.20240102030405-abcdef123456+incompatible", "v1.2.3-pre-0.20240102030405-abcdef123456", "v1.2.3-pre.20240102030405-abcdef123456", "v1.2.3-20240102030405-abcdef123456", "v1.0.1-20240102030405-abcdef123456", "v1.0.0-2024010203040-abcdef123456", "v1.0.0-202401020304055-abcdef123456", "v1.0.0-20240102030405-", "v1.0.0-20240102030405", "v1.0.0-20240102030405-abc-def", "v1.0.0-20240102030405-abc.def", "v1.0.0-20240102030405-ABCDEF", "v1.0.0-00000000000000-000000000000", "v1.0.0-00010101000000-000000000000",
	"v0.0.0-20240230030405-abcdef123456", "v0.0.0-20230229030405-abcdef123456", "v0.0.0-20240229030405-abcdef123456", "v0.0.0-20241302030405-abcdef123456", "v0.0.0-20240102240405-abcdef123456", "v0.0.0-20240102036005-abcdef123456", "v0.0.0-20240102030460-abcdef123456", "v0.0.0-00000102030405-abcdef123456", "v0.0.0-99991231235959-abcdef123456", "v0.0.0-20240002030405-abcdef123456", "v0.0.0-20240100030405-abcdef123456", "v0.0.0-20240431030405-abcdef123456", "v0.0.0-20240101000000-0", "v0.0.1-0.20240101000000-0.1",
	"v0.0.1-go1.21.0.linux-amd64", "v0.0.1-go1.22rc1.windows-arm64", "master", "latest", "upgrade", "patch", "none", "-x", "v1.2.3/../x", "v1.2.3 ", " v1.2.3", "v1.2.3\n", "v1.2.3\x00", "v1.2.3%2f", "v１.2.3", "v1.2.3-١", "vv1.2.3", "v-1.2.3", "v1.-2.3", "v1..3", "v1.2.3-+", "v1.2.3-a+b.c-d.0", "v1.2.3-a+b.c_d", "va.b.c", "v1.2.x", "v0", "v0.1", "v0.0.0-", "v0.0.0-0", "v0.0.0-a.0.20240102030405-b", "v0.0.0-0.0.20240102030405-b",
}

func writeVersions() {
	type vector struct {
		Version    string `json:"version"`
		Valid      bool   `json:"valid"`
		Canonical  string `json:"canonical"`
		Canonical2 string `json:"moduleCanonical"`
		Major      string `json:"major"`
		Prerelease string `json:"prerelease"`
		Build      string `json:"build"`
		Pseudo     bool   `json:"pseudo"`
		Rev        any    `json:"rev"`
		Time       any    `json:"time"`
		Base       any    `json:"base"`
	}
	var out []vector
	for _, v := range versionList {
		x := vector{
			Version: v, Valid: semver.IsValid(v), Canonical: semver.Canonical(v), Canonical2: module.CanonicalVersion(v),
			Major: semver.Major(v), Prerelease: semver.Prerelease(v), Build: semver.Build(v), Pseudo: module.IsPseudoVersion(v),
			Rev: orNil(module.PseudoVersionRev(v)), Base: orNil(module.PseudoVersionBase(v)),
		}
		if t, err := module.PseudoVersionTime(v); err == nil {
			x.Time = t.Unix()
		}
		out = append(out, x)
	}
	write("versions.json", out)

	// One line for each version: its order against every other, as the characters <, = and >.
	var orders []string
	for _, v := range versionList {
		line := ""
		for _, w := range versionList {
			line += string("<=>"[semver.Compare(v, w)+1])
		}
		orders = append(orders, line)
	}
	write("orders.json", orders)

	// One line for each path: for every version whether the two fit, 0 or 1; the paths are those of paths.json.
	var fits []string
	for _, p := range pathList {
		line := ""
		for _, v := range versionList {
			if module.Check(p, v) == nil {
				line += "1"
			} else {
				line += "0"
			}
		}
		fits = append(fits, line)
	}
	write("fits.json", fits)
}
