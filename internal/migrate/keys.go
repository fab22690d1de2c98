package migrate

import "github.com/oras-mirror/oras-mirror/internal/migrate/document"

// Keys returns the keys of a format that are known, in the order of its documentation.
func Keys(f Format) []document.Key {
	switch f {
	case Hauler:
		return haulerKeys
	case OCMirror:
		return ocMirrorKeys
	case Regsync:
		return regsyncKeys
	case Skopeo:
		return skopeoKeys
	case FluxMirror:
		return fluxMirrorKeys
	}
	return nil
}
