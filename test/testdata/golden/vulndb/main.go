// The program writes affects.json: see README.md.
package main

import (
	"encoding/json"
	"os"

	"golang.org/x/vuln/internal/osv"
	"golang.org/x/vuln/internal/semver"
)

type vector struct {
	Ranges  []osv.Range     `json:"ranges"`
	Answers map[string]bool `json:"answers"`
}

func main() {
	versions := []string{
		"v0.0.0", "v0.0.0-20200101000000-0123456789ab", "v0.9.9", "v1.0.0-rc.1", "v1.0.0", "v1.0.1-0.20200101000000-0123456789ab", "v1.0.1", "v1.2.0",
		"v1.2.3", "v1.9.9", "v1.10.0", "v2.0.0-beta.1", "v2.0.0", "v2.0.0+incompatible", "v3.1.0+incompatible", "v10.0.0",
	}
	introduced := func(v string) osv.RangeEvent { return osv.RangeEvent{Introduced: v} }
	fixed := func(v string) osv.RangeEvent { return osv.RangeEvent{Fixed: v} }
	semverRange := func(events ...osv.RangeEvent) osv.Range {
		return osv.Range{Type: osv.RangeTypeSemver, Events: events}
	}
	lists := [][]osv.Range{
		{},
		{semverRange()},
		{{Type: "GIT", Events: []osv.RangeEvent{introduced("0"), fixed("abc")}}},
		{{Type: "ECOSYSTEM", Events: []osv.RangeEvent{introduced("0"), fixed("1.0.0")}}, semverRange(introduced("2.0.0"))},
		{semverRange(introduced("0"))},
		{semverRange(introduced("0"), fixed("1.0.0"))},
		{semverRange(fixed("1.0.0"), introduced("0"))},
		{semverRange(introduced("0"), fixed("1.0.0-rc.1"), introduced("1.2.0"), fixed("1.10.0"))},
		{semverRange(introduced("1.2.0"), fixed("1.10.0"), introduced("0"), fixed("0.9.9"))},
		{semverRange(introduced("1.0.1"))},
		{semverRange(introduced("1.0.1-0")), semverRange(introduced("0"), fixed("0.0.0"))},
		{semverRange(fixed("1.2.3"))},
		{semverRange(introduced("v1.0.0"), fixed("go1.2.3"))},
		{semverRange(introduced("1.0.0"), introduced("1.2.0"), fixed("1.2.3"), fixed("2.0.0"))},
		{semverRange(introduced("1.0.0"), fixed("1.0.0"))},
		{semverRange(introduced("0"), fixed("2.0.0+incompatible")), semverRange(introduced("3.0.0"))},
		{semverRange(introduced("nonsense"), fixed("2.0.0"))},
		{semverRange(introduced("0"), fixed("nonsense"))},
		{semverRange(introduced("0"), osv.RangeEvent{}, fixed("1.0.0"))},
		{semverRange(introduced("0.0.0-20200101000000-000000000000"), fixed("0.0.0-20200102000000-000000000000"))},
		{semverRange(introduced("1"), fixed("1.2"))},
	}
	var vectors []vector
	for _, ranges := range lists {
		// Affects sorts the events in place.
		before, _ := json.Marshal(ranges)
		made := vector{Answers: map[string]bool{}}
		json.Unmarshal(before, &made.Ranges)
		for _, v := range versions {
			made.Answers[v] = semver.Affects(ranges, v)
		}
		vectors = append(vectors, made)
	}
	out, err := json.MarshalIndent(vectors, "", " ")
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile("affects.json", append(out, '\n'), 0o644); err != nil {
		panic(err)
	}
}
