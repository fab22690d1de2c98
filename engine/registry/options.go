package registry

import (
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// defaultMaxManifest is four times the limit of registries (distribution and Docker Hub
// refuse a manifest over 4 MiB).
const defaultMaxManifest = 16 << 20

// Options configures a Client. The zero value works.
type Options struct {
	Transport   transport.Options                       // of the requests to all registries
	Settings    func(registry string) (Settings, error) // nil: the zero Settings for all
	MaxManifest int64                                   // bytes; 0: 16 MiB
}

// Settings describes one registry. The zero value works for an ordinary one.
type Settings struct {
	transport.Settings        // how its host is reached
	DistributionSpec   string // "v1.1-referrers-api", "v1.1-referrers-tag" or "" (detect)
	// Mirrors are asked for manifests and blobs first, in this order; see [Endpoints].
	Mirrors     []Mirror
	MirrorsOnly bool // the registry itself is never asked
}

// The values of Settings.DistributionSpec.
const (
	specAPI = "v1.1-referrers-api"
	specTag = "v1.1-referrers-tag"
)
