package testregistry

import (
	"net/http"
	"regexp"
)

// call is a parsed request.
type call struct {
	method    string
	noun      string
	repo      string
	reference string // tag, digest or upload session
	mount     bool
}

// paths are matched in order: an upload's path looks like a blob's.
var paths = []struct {
	noun string
	re   *regexp.Regexp
}{
	{"base", regexp.MustCompile(`^/v2/?$`)},
	{"token", regexp.MustCompile(`^/token$`)},
	{"catalog", regexp.MustCompile(`^/v2/_catalog$`)},
	{"upload", regexp.MustCompile(`^/v2/(.+)/blobs/uploads(?:/([^/]*))?$`)},
	{"manifest", regexp.MustCompile(`^/v2/(.+)/manifests/([^/]+)$`)},
	{"blob", regexp.MustCompile(`^/v2/(.+)/blobs/([^/]+)$`)},
	{"tags", regexp.MustCompile(`^/v2/(.+)/tags/list$`)},
	{"referrers", regexp.MustCompile(`^/v2/(.+)/referrers/([^/]+)$`)},
}

func parse(req *http.Request) call {
	c := call{method: req.Method, noun: "unknown"}
	for _, path := range paths {
		m := path.re.FindStringSubmatch(req.URL.Path)
		if m == nil {
			continue
		}
		c.noun = path.noun
		if len(m) > 1 {
			c.repo = m[1]
		}
		if len(m) > 2 {
			c.reference = m[2]
		}
		c.mount = c.noun == "upload" && c.method == http.MethodPost && req.URL.Query().Has("mount")
		break
	}
	return c
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
