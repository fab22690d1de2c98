package main

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
)

// tagged is a name and what it stands for.
type tagged struct {
	Reference string        `json:"reference"`
	Digest    digest.Digest `json:"digest"`

	with string // what makes a difference beside the digest
}

// taggedIn lists what has a name in a layout. What cosign keeps under tags
// belongs to its image and is left out.
func taggedIn(index *store.Index) []tagged {
	var all []tagged
	for _, e := range index.Entries {
		if e.Name == "" {
			continue
		}
		ref, err := config.ParseReference(e.Name)
		if err != nil {
			ref.Tag = e.Name
		}
		if !config.IsReferrersTag(ref.Tag) {
			all = append(all, tagged{Reference: e.Name, Digest: e.Digest})
		}
	}
	return all
}

func digestTexts(all []digest.Digest) []string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = d.String()
	}
	return texts
}
