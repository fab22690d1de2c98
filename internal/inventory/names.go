package inventory

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/store"
)

// Name is a name and what it stands for.
type Name struct {
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`

	With  string        // what makes a difference beside the digest
	Other digest.Digest // in another algorithm, if that is known
}

// same tells whether two names stand for the same, by whatever algorithm their digests
// are made.
func (t Name) same(other Name) bool {
	digests := t.Digest == other.Digest || t.Digest == other.Other || t.Other == other.Digest
	return digests && t.With == other.With
}

// Names lists what has a name in a layout. What cosign keeps under tags
// belongs to its image and is left out.
func Names(l store.Layout) []Name {
	var all []Name
	for _, e := range l.Index().Entries {
		if e.Name == "" {
			continue
		}
		if ref, _ := config.ParseEntryName(e.Name); !config.IsReferrersTag(ref.Tag) {
			all = append(all, Name{Reference: e.Name, Digest: e.Digest, Other: canonical(l, e)})
		}
	}
	return all
}

// canonical is the digest by which most registries name an entry that has one of
// another algorithm. What cannot be read has none.
func canonical(l store.Layout, e store.Entry) digest.Digest {
	if e.Digest.Algorithm() == digest.Canonical {
		return ""
	}
	data, err := store.ReadManifest(l, e.Descriptor())
	if err != nil {
		return ""
	}
	return plan.InOther(e.Digest, data)
}

func DigestTexts(all []digest.Digest) []string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.String()
	}
	return texts
}
