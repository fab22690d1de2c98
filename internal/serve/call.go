package serve

import (
	"net/url"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// call is a request of the distribution spec.
type call struct {
	kind      string // "base", "catalog", "tags", "manifests", "blobs" or "referrers"
	path      string // the name of the repository
	reference string // a tag or a digest
	registry  string // of ?ns=, in lower case; "" for any
	query     url.Values
}

// parseCall parses a path below /v2/. The name is everything before the last two parts.
func parseCall(path string, query url.Values) (c call, ok bool) {
	c.query = query
	c.registry = strings.ToLower(dockerhub.Registry(c.query.Get("ns")))
	rest, below := strings.CutPrefix(path, "/v2/")
	switch {
	case path == "/v2", below && rest == "":
		c.kind = "base"
		return c, true
	case !below:
		return c, false
	case rest == "_catalog":
		c.kind = "catalog"
		return c, true
	}
	last := strings.LastIndexByte(rest, '/')
	if last < 0 {
		return c, false
	}
	rest, c.reference = rest[:last], rest[last+1:]
	last = strings.LastIndexByte(rest, '/')
	if last < 0 {
		return c, false
	}
	c.path, c.kind = rest[:last], rest[last+1:]
	switch c.kind {
	case "tags":
		return c, c.reference == "list"
	case "manifests", "blobs", "referrers":
		return c, true
	}
	return c, false
}
