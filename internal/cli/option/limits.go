package option

import (
	"time"

	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// limitFlags limit how long a registry can stall a run, and how much memory it can take.
type limitFlags struct {
	StallTimeout    time.Duration `group:"Registries" default:"60s" placeholder:"DURATION" help:"Abort and resume a transfer that moves less than 4 KiB in this time; default ${default}."`
	MaxManifestSize text.ByteSize `group:"Registries" default:"16MiB" placeholder:"SIZE" help:"Reject manifests larger than this; default and maximum ${default}."`
}

// Validate checks the flags; kong calls it.
func (f *limitFlags) Validate() error {
	switch {
	case f.StallTimeout <= 0:
		return exit.Usage("", "--stall-timeout must be more than 0, not %s", f.StallTimeout)
	case f.MaxManifestSize < 1 || f.MaxManifestSize > oci.MaxManifest:
		return exit.Usage("a bundle with a larger manifest could not be read", "--max-manifest-size must be from 1B to %s, not %s",
			text.Bytes(oci.MaxManifest), text.Bytes(int64(f.MaxManifestSize)))
	}
	return nil
}
