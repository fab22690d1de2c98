package oci

import (
	"cmp"

	"github.com/opencontainers/go-digest"
)

// nameAttached replaces the name of each attachment by the name under which cosign finds
// it in a registry, REPOSITORY:sha256-HEX.sig. A referrer gets no name, since its manifest
// names its subject.
func (x *Index) nameAttached() {
	var images map[string]digest.Digest
	for i := range x.Entries {
		e := &x.Entries[i]
		kind, of := e.kind()
		if tagKind := attachedKinds[kind]; tagKind != "" {
			if images == nil {
				images = x.images()
			}
			e.rename(attachedName(e.Name, cmp.Or(e.declaredSubject(of), images[e.Name]), tagKind))
		} else if kind == "referrers" {
			e.rename("")
		}
	}
}

// images maps names to images; a name of two images maps to no digest.
func (x *Index) images() map[string]digest.Digest {
	images := make(map[string]digest.Digest)
	for i := range x.Entries {
		e := &x.Entries[i]
		if !e.isImage() {
			continue
		}
		if other, met := images[e.Name]; met && other != e.Digest {
			images[e.Name] = ""
			continue
		}
		images[e.Name] = e.Digest
	}
	return images
}
