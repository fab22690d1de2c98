package testregistry

import (
	"net/http"
	"strings"
)

// call is a parsed request.
type call struct {
	method    string
	noun      string
	repo      string
	reference string // tag, digest or upload session
	mount     bool
}

// parse parses a request. It is called for each one, so it has no regular expressions, which
// took a twelfth of the time of the tests.
func parse(req *http.Request) call {
	c := call{method: req.Method, noun: "unknown"}
	path := req.URL.Path
	switch below, ok := strings.CutPrefix(path, "/v2/"); {
	case path == "/v2", path == "/v2/":
		c.noun = "base"
	case path == "/token":
		c.noun = "token"
	case path == "/v2/_catalog":
		c.noun = "catalog"
	case ok:
		c.parseName(below)
	}
	c.mount = c.noun == "upload" && c.method == http.MethodPost && req.URL.Query().Has("mount")
	return c
}

// parseName parses a path with the name of a repository before its last two or three parts.
func (c *call) parseName(path string) {
	rest, last := cutLast(path)
	repo, kind := cutLast(rest)
	noun := map[string]string{"manifests": "manifest", "blobs": "blob", "referrers": "referrers"}[kind]
	switch {
	case kind == "uploads" && strings.HasSuffix(repo, "/blobs"):
		noun, repo = "upload", strings.TrimSuffix(repo, "/blobs")
	case kind == "blobs" && last == "uploads":
		noun, last = "upload", ""
	case kind == "tags" && last == "list":
		noun, last = "tags", ""
	case last == "":
		return
	}
	if noun != "" && repo != "" {
		c.noun, c.repo, c.reference = noun, repo, last
	}
}

// cutLast cuts a path before its last part.
func cutLast(path string) (rest, last string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

func (c call) kind() string {
	if c.mount {
		return "mount"
	}
	return c.method + " " + c.noun
}

// Kind returns the kind of a request: its method and one of base, manifest, blob, upload,
// tags, referrers, catalog, token and unknown, as in "GET blob"; or "mount".
func Kind(req *http.Request) string { return parse(req).kind() }
