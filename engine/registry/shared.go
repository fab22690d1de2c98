package registry

import "github.com/oras-mirror/oras-mirror/engine/registry/credentials"

// shared is what the hosts of one client share.
type shared struct {
	options Options
	slots   slots // over all hosts
	stores  credentials.Stores
	stats   stats
}
