package main

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store"
)

// tagged is a name and what it stands for.
type tagged struct {
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`

	with  string        // what makes a difference beside the digest
	other digest.Digest // in another algorithm, if that is known
}

// same tells whether two names stand for the same, by whatever algorithm their digests
// are made.
func (t tagged) same(other tagged) bool {
	digests := t.Digest == other.Digest || t.Digest == other.other || t.other == other.Digest
	return digests && t.with == other.with
}

// taggedIn lists what has a name in a layout. What cosign keeps under tags
// belongs to its image and is left out.
func taggedIn(l store.Layout) []tagged {
	var all []tagged
	for _, e := range l.Index().Entries {
		if e.Name == "" {
			continue
		}
		if ref, _ := config.ParseEntryName(e.Name); !config.IsReferrersTag(ref.Tag) {
			all = append(all, tagged{Reference: e.Name, Digest: e.Digest, other: canonical(l, e)})
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
	return engine.InOther(e.Digest, data)
}

func digestTexts(all []digest.Digest) []string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.String()
	}
	return texts
}
