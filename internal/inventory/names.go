// Package inventory lists the content of a layout by name, as artifacts with their
// referrers, and finds the differences between two lists of names.
package inventory

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Name is a reference with the manifest that it points to.
type Name struct {
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`

	With     string        `json:"-"` // what else makes two names differ, such as referrers and platforms
	SignedBy string        `json:"-"` // the signers that a policy accepted; "" if no policy asks
	Other    digest.Digest `json:"-"` // of the same manifest in another algorithm; "" if unknown
}

// isSame reports whether two names point to the same manifest, also if their digests have
// different algorithms.
func (n Name) isSame(other Name) bool {
	digests := n.Digest == other.Digest || n.Digest == other.Other || n.Other == other.Digest
	return digests && n.With == other.With && n.SignedBy == other.SignedBy
}

// Names lists the names in a layout, without the tags of cosign, which belong to their
// images.
func Names(l store.Layout) []Name {
	var all []Name
	for _, e := range l.Index().Entries {
		if e.Name == "" {
			continue
		}
		if ref, _ := config.ParseEntryName(e.Name); !filter.IsReferrersTag(ref.Tag) {
			all = append(all, Name{Reference: e.Name, Digest: e.Digest, Other: canonical(l, e)})
		}
	}
	return all
}

// canonical returns the sha256 digest of an entry whose digest has another algorithm, since
// most registries use sha256; "" if the entry has one already or cannot be read.
func canonical(l store.Layout, e oci.Entry) digest.Digest {
	if e.Digest.Algorithm() == digest.Canonical {
		return ""
	}
	data, err := store.ReadManifest(l, e.Descriptor())
	if err != nil {
		return ""
	}
	return plan.InOther(e.Digest, data)
}
