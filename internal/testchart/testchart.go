// Package testchart packs Helm charts and serves Helm repositories in the process of a test.
package testchart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

// writers keeps writers for later charts: a new one clears a megabyte.
var writers = make(chan *gzip.Writer, 64)

// writer returns a writer of an earlier chart, or a new one.
func writer(to io.Writer) *gzip.Writer {
	select {
	case earlier := <-writers:
		earlier.Reset(to)
		return earlier
	default:
		return gzip.NewWriter(to)
	}
}

// keep keeps a writer for a later chart.
func keep(w *gzip.Writer) {
	select {
	case writers <- w:
	default:
	}
}

// Pack returns a .tgz with files in the folder of a chart, sorted by name.
func Pack(tb testing.TB, folder string, files map[string]string) []byte {
	tb.Helper()
	var out bytes.Buffer
	zipped := writer(&out)
	defer keep(zipped)
	archive := tar.NewWriter(zipped)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		header := &tar.Header{Name: folder + "/" + name, Mode: 0o644, Size: int64(len(files[name]))}
		if err := archive.WriteHeader(header); err != nil {
			tb.Fatal(err)
		}
		if _, err := archive.Write([]byte(files[name])); err != nil {
			tb.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		tb.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// Chart returns the .tgz of a chart with more files, and lines that are added to Chart.yaml.
func Chart(tb testing.TB, name, version, metadata string, files map[string]string) []byte {
	tb.Helper()
	all := map[string]string{
		"Chart.yaml":                fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n%s", name, version, metadata),
		"values.yaml":               "tag: \"1.0\"\n",
		"templates/deployment.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: \"{{ .Values.image }}:{{ .Values.tag }}\"}]}\n",
	}
	for name, text := range files {
		all[name] = text
	}
	return Pack(tb, name, all)
}

// Repository is a Helm repository. Its files may be replaced while it is served.
type Repository struct {
	URL  string // without a slash at the end
	Host string

	mu       sync.Mutex // guards what follows
	files    map[string][]byte
	index    map[string][]string // entries by the name of a chart
	requests []string            // paths
	answer   func(http.ResponseWriter, *http.Request) bool
}

// Start serves an empty Helm repository under a path of a server on the loopback interface.
func Start(tb testing.TB, folder string) *Repository {
	tb.Helper()
	r := &Repository{files: make(map[string][]byte), index: make(map[string][]string)}
	server := httptest.NewServer(http.StripPrefix(folder, r))
	tb.Cleanup(server.Close)
	r.Host = strings.TrimPrefix(server.URL, "http://")
	r.URL = server.URL + folder
	return r
}

// Add adds a chart under its name and version, with a relative URL.
func (r *Repository) Add(name, version string, data []byte) {
	file := name + "-" + version + ".tgz"
	r.Put(file, data)
	sum := sha256.Sum256(data)
	r.AddEntry(name, fmt.Sprintf("version: %s\n    name: %s\n    digest: %s\n    urls:\n    - %s", version, name, hex.EncodeToString(sum[:]), file))
}

// AddEntry adds an entry of a chart to the index: keys, indented by four spaces but for the first.
func (r *Repository) AddEntry(name, keys string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.index[name] = append(r.index[name], keys)
	var index strings.Builder
	index.WriteString("apiVersion: v1\nentries:\n")
	var names []string
	for name := range r.index {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&index, "  %s:\n", name)
		for _, entry := range r.index[name] {
			fmt.Fprintf(&index, "  - %s\n", entry)
		}
	}
	index.WriteString("generated: \"2024-05-31T14:25:00Z\"\n")
	r.files["index.yaml"] = []byte(index.String())
}

// Put adds or replaces a file.
func (r *Repository) Put(name string, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[name] = data
}

// Answer has a function answer requests; it returns false for those that it leaves alone.
func (r *Repository) Answer(f func(http.ResponseWriter, *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// Requests returns the paths of the requests since the last call, in their order.
func (r *Repository) Requests() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.requests
	r.requests = nil
	return all
}

// ServeHTTP serves a file.
func (r *Repository) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	name := strings.TrimPrefix(path.Clean("/"+req.URL.Path), "/")
	r.mu.Lock()
	r.requests = append(r.requests, name)
	data, ok := r.files[name]
	answer := r.answer
	r.mu.Unlock()
	switch {
	case answer != nil && answer(w, req):
	case !ok:
		http.NotFound(w, req)
	default:
		_, _ = w.Write(data)
	}
}
