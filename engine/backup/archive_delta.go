package backup

import (
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// markDelta marks the index of an archive. The lists come before the first index.json, by put,
// and stay as they are.
func (w *archive) markDelta(x *oci.Index, put func(ocispec.Descriptor, []byte) error) (err error) {
	if w.Base == nil {
		return nil
	}
	if w.lists == nil {
		content := delta.Content{Elsewhere: w.elsewhere()}
		for _, blob := range w.blobs {
			content.Blobs = append(content.Blobs, blob.Digest)
		}
		if w.lists, err = putLists(content.Lists(), put); err != nil {
			return err
		}
	}
	(&delta.Delta{Bases: w.Base.Roots(), Names: w.Base.Names(), Lists: w.lists}).Mark(x)
	return nil
}
