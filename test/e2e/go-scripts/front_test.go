// Laid over GOROOT/src/cmd/go as one more file of its test (go test -overlay): what the scripts take for the test
// proxy is this front, behind which gokeep stands before the real one.

package main_test

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// scriptProxy handles what scripts ask of $GOPROXY: without GOKEEP_FRONT_URL the test proxy itself does. Otherwise
// gokeep does, except for the addresses by which a script asks for a particular fault: those belong to no module, and
// go to the test proxy at GOKEEP_FRONT_UPSTREAM.
func scriptProxy() http.Handler {
	gokeep, upstream := os.Getenv("GOKEEP_FRONT_URL"), os.Getenv("GOKEEP_FRONT_UPSTREAM")
	if gokeep == "" {
		return http.HandlerFunc(proxyHandler)
	}
	return &httputil.ReverseProxy{
		// gokeep breaks the connection where an answer broke; so does the front.
		FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			target := upstream + "/" + strings.TrimPrefix(r.In.RequestURI, "/mod/")
			if rest, ok := moduleOrDatabase(r.In.RequestURI); ok {
				target = gokeep + "/" + rest
			}
			r.Out.URL, _ = url.Parse(target)
			r.Out.Host = r.Out.URL.Host
		},
	}
}

// moduleOrDatabase returns the path that gokeep answers for, and false for an address that asks for a fault.
func moduleOrDatabase(requestURI string) (string, bool) {
	rest, ok := strings.CutPrefix(requestURI, "/mod/")
	if !ok {
		return "", false
	}
	first, below, _ := strings.Cut(rest, "/")
	if first == "sumdb-direct" {
		// An address of the database itself, as in GOSUMDB="<key> <address>".
		name, _, _ := strings.Cut(scriptDatabase(), "+")
		return "sumdb/" + name + "/" + below, true
	}
	if code, ok := strings.CutPrefix(first, "sumdb-"); ok {
		// A database that fails beside modules that are as usual.
		if _, err := strconv.Atoi(code); err == nil && !strings.HasPrefix(below, "sumdb/") {
			return below, true
		}
		return "", false
	}
	if _, err := strconv.Atoi(first); err == nil || first == "invalid" || first == "redirect" {
		return "", false
	}
	return rest, true
}

// scriptDatabase is the scripts' GOSUMDB.
func scriptDatabase() string {
	if key := os.Getenv("GOKEEP_FRONT_GOSUMDB"); key != "" {
		return key
	}
	return testSumDBVerifierKey
}
