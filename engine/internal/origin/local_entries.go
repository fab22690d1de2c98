package origin

import (
	"context"
	"encoding/json"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// WalkChildren adds the manifests below an index to children, as far as they can
// be read: one that cannot be read fails when it is restored.
func (l *Local) WalkChildren(desc ocispec.Descriptor, children map[digest.Digest]bool) {
	count := 0
	var walk func(oci.Node)
	walk = func(n oci.Node) {
		if n.Depth > bounds.Depth || count > bounds.Manifests {
			return
		}
		data, err := Read(context.Background(), l, n)
		if err != nil {
			return
		}
		m, err := n.Decode(context.Background(), data)
		if err != nil || m == nil {
			return
		}
		for _, child := range m.Manifests {
			if !children[child.Digest] {
				children[child.Digest] = true
				count++
				walk(oci.Node{Descriptor: child, Role: oci.Child, Depth: n.Depth + 1})
			}
		}
	}
	walk(oci.Node{Descriptor: desc})
}

// addReferrer notes the subject of a nameless manifest, if it has one.
func (l *Local) addReferrer(entry *oci.Entry) error {
	data, err := l.Manifest(context.Background(), entry.Descriptor())
	if err != nil {
		return err
	}
	var m struct {
		Subject *ocispec.Descriptor `json:"subject"`
	}
	if json.Unmarshal(data, &m) != nil || m.Subject == nil {
		return nil
	}
	l.referrers.add(referrer{entry: entry, homes: entry.Repositories}, m.Subject.Digest)
	return nil
}

// addList notes and returns the referrers that a root lists; is is false unless it is a
// list of referrers.
func (l *Local) addList(r Root) (members []*oci.Entry, is bool) {
	all, is := oci.ReferrersList(*r.Entry, func(desc ocispec.Descriptor) ([]byte, error) {
		return l.Manifest(context.Background(), desc)
	})
	var homes []string
	if r.Ref.Registry != "" {
		homes = append(homes, r.Ref.Name())
	}
	for _, m := range all {
		entry := &oci.Entry{MediaType: m.MediaType, ArtifactType: m.ArtifactType, Digest: m.Digest, Size: m.Size}
		l.referrers.add(referrer{entry: entry, listed: &m.Descriptor, homes: homes}, m.Subject)
		members = append(members, entry)
	}
	return members, is
}
