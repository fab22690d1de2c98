package transport

import "github.com/oras-mirror/oras-mirror/engine/registry/credentials"

// shared is the state that the hosts of one transport share.
type shared struct {
	options Options
	slots   slots // over all hosts
	stores  credentials.Stores
	stats   stats
}
