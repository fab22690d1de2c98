package headway

import (
	"strings"

	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// Requests returns the number of requests that a client has sent. Only the statistics of the
// form "METHOD noun" are kinds of requests. Requests for authentication depend on how many
// others start at once, and redirects are known only when they come: neither counts.
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
