// Package loopback tells the names and addresses of this machine from those of others.
// A registry with such a name is asked over http unless its settings say otherwise, as in
// oras.
package loopback

import (
	"net/netip"
	"strings"
)

// Is reports whether a host name or an IP address, without a port, means this machine:
// localhost, any name below it (RFC 6761, 6.3) and the loopback addresses. Case and a
// final dot do not matter.
func Is(hostname string) bool {
	name := strings.ToLower(strings.TrimSuffix(hostname, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.Unmap().IsLoopback()
}
