package headway

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// Requests counts what a client has sent. Beside the kinds of requests, which
// are a method and a noun, its statistics have sums of their own. What only
// authentication needs depends on how many requests begin at once, and where a
// registry sends us on to is known when it does: neither counts.
func Requests(c *registry.Client) int {
	stats := c.Stats()
	n := -stats["challenges"]
	for kind, count := range stats {
		_, noun, ok := strings.Cut(kind, " ")
		if ok && noun != "token" && noun != "redirected" {
			n += count
		}
	}
	return n
}
