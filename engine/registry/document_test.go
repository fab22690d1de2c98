package registry

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// lists are the lists of names that a registry has, and their keys.
var lists = map[string]func(t *testing.T, r *Repository) ([]string, error){
	"tags": listTags,
	"repositories": func(t *testing.T, r *Repository) (all []string, err error) {
		err = r.host.client.Catalog(t.Context(), r.ref.Registry, func(page []string) error {
			all = append(all, page...)
			return nil
		})
		return all, err
	},
}

// TestListWithoutItsKeyIsAnError: taken for empty, it would have a repository's
// artifacts pruned.
func TestListWithoutItsKeyIsAnError(t *testing.T) {
	for key, list := range lists {
		for body, want := range map[string]string{
			`{}`:                                "not a list",
			`{"errors":[{"code":"UNKNOWN"}]}`:   "not a list",
			`{"name":"test/repo"}`:              "not a list",
			`[]`:                                "not a list",
			`null`:                              "not a list",
			`"KEY"`:                             "not a list",
			``:                                  "not a list",
			`<html>`:                            "a web page",
			`{"KEY":"v1"}`:                      "not a list",
			`{"KEY":{"v1":{}}}`:                 "not a list",
			`{"KEY":[1]}`:                       "not a list",
			`{"KEY":["v1"`:                      "not a list",
			`{"KEY":["v1"]}{"KEY":["v2"]}`:      "not a list",
			`{"name":{"KEY":["v1"]}}`:           "not a list",
			`{"KEY":null}`:                      "[]",
			`{"KEY":[]}`:                        "[]",
			`{"KEY":["v1",null]}`:               "[v1]",
			`{"a":[[{"KEY":[]}]],"KEY":["v1"]}`: "[v1]",
			" {\"KEY\" : [\"v1\" , \"v\\u0032\"]}\n ": "[v1 v2]",
		} {
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				w.Write([]byte(strings.ReplaceAll(body, "KEY", key)))
			})
			found, err := list(t, r)
			got := fmt.Sprint(found)
			switch {
			case isType[*DocumentError](err):
				got = "not a list"
			case isType[*transport.ProxyError](err):
				got = "a web page"
			default:
				noError(t, err)
			}
			equal(t, key+": "+body, got, want)
		}
	}
}

// flood is a body that repeats part until it has size bytes.
type flood struct {
	head, tail string
	part       func(i int) string
	size       int
	peak       *atomic.Uint64 // of what is alive while it is read
}

func (f *flood) serve(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, f.head)
	for sent, i, measured := 0, 0, 0; sent < f.size; i++ {
		n, err := io.WriteString(w, f.part(i))
		if err != nil {
			return
		}
		if sent += n; sent-measured > 1<<20 {
			measured = sent
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			f.peak.Store(max(f.peak.Load(), m.HeapAlloc))
		}
	}
	io.WriteString(w, f.tail)
}

// TestListsOfHostileSize: a page takes no more memory than the names that may be kept
// of it, however long it is.
func TestListsOfHostileSize(t *testing.T) {
	for name, test := range map[string]struct {
		flood flood
		alive uint64 // MiB
		fails bool
	}{
		"a name again and again": {flood{head: `{"tags":["v0"`, part: func(int) string { return strings.Repeat(`,"a"`, 1000) }, tail: `]}`}, 20, false},
		"millions of names":      {flood{head: `{"tags":["v0"`, part: func(i int) string { return fmt.Sprintf(`,"%x"`, i) }, tail: `]}`}, 96, true},
		"long names":             {flood{head: `{"tags":["v0"`, part: func(i int) string { return fmt.Sprintf(`,"%0100000d"`, i) }, tail: `]}`, size: 40 << 20}, 64, true},
		"a name without end":     {flood{head: `{"tags":["v0","`, part: func(int) string { return strings.Repeat("a", 1000) }, tail: `"]}`}, 32, true},
		"another key":            {flood{head: `{"other":[0`, part: func(int) string { return strings.Repeat(`,{"a":[]}`, 1000) }, tail: `],"tags":["v0"]}`}, 20, false},
		"nesting":                {flood{head: `{"other":`, part: func(int) string { return strings.Repeat(`[`, 1000) }, tail: ``}, 32, true},
		"white space":            {flood{head: `{"tags":[`, part: func(int) string { return strings.Repeat(" ", 1000) }, tail: `]}`}, 32, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := test.flood
			f.size, f.peak = max(8<<20, f.size), new(atomic.Uint64)
			r, _ := repository(t, f.serve)
			found, err := listTags(t, r)
			equal(t, "fails", err != nil, test.fails)
			if err == nil {
				equal(t, "first", found[0], "v0")
			}
			if peak := f.peak.Load() >> 20; peak > test.alive {
				t.Errorf("%d MiB were alive", peak)
			}
		})
	}
}

// TestListsShareTheMemoryOfTheRun: names that do not fit beside what the process keeps
// fail their list, and what was kept of a list, of one that broke off too, counts no
// longer than it is read.
func TestListsShareTheMemoryOfTheRun(t *testing.T) {
	t.Cleanup(func() { bounds.SetMemory(0, nil) })
	bounds.SetMemory(1<<20, nil)
	names, n := 3000, 0
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		n++
		var page []string
		var list []ocispec.Descriptor
		for i := range names {
			page = append(page, fmt.Sprintf("release-2026-with-a-long-name-%d", i))
			list = append(list, referrer(i))
		}
		if n%2 == 1 { // every other answer breaks off
			w.Header().Set("Content-Length", "1000000")
		}
		if strings.HasSuffix(req.URL.Path, "/tags/list") {
			giveTags(w, "", page...)
		} else {
			giveIndex(w, indexOf(list[:names/3]...))
		}
	})
	no := false
	for range 10 {
		tags, err := listTags(t, r)
		noError(t, err)
		equal(t, "tags", len(tags), names)
		found, err := r.Referrers(t.Context(), subject, &no)
		noError(t, err)
		equal(t, "referrers", len(found), names/3)
	}
	var tooMuch *bounds.MemoryError
	names = 12_000
	if _, err := listTags(t, r); !errors.As(err, &tooMuch) {
		t.Errorf("tags: got %v", err)
	}
	if _, err := r.Referrers(t.Context(), subject, &no); !errors.As(err, &tooMuch) {
		t.Errorf("referrers: got %v", err)
	}
	noError(t, bounds.Take(1<<20)) // all was given back
}
