package graph

import (
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
)

// Takes reports whether some platforms are all that v itself has.
func (v *Visit) Takes(platforms []config.Platform) bool {
	nested := slices.ContainsFunc(v.children, func(w *Visit) bool { return w.Node.Index })
	return !nested && len((&scope.Scope{Platforms: platforms}).Children(v.Node.Children)) == len(v.Node.Children)
}

// MissingPlatforms returns the wanted platforms for which v has no image in any index below it;
// sound is false if v has images, but for none of the wanted platforms.
func (v *Visit) MissingPlatforms(wanted []config.Platform) (missing []config.Platform, sound bool) {
	var all []ocispec.Descriptor
	plain := false // some image has no platform
	v.Core(func(v *Visit) {
		indexes := make(map[digest.Digest]bool)
		for _, w := range v.children {
			indexes[w.Node.Digest] = w.Node.Index
		}
		for _, c := range v.Node.Children {
			all = append(all, c)
			plain = plain || c.Platform == nil && !indexes[c.Digest]
		}
	})
	missing = slices.DeleteFunc(slices.Clone(wanted), func(p config.Platform) bool {
		return slices.ContainsFunc(all, func(c ocispec.Descriptor) bool {
			return scope.HasPlatform(c) && !scope.IsAttestation(c) && scope.IsFor(c, p)
		})
	})
	return missing, plain || len(missing) < len(wanted) || !slices.ContainsFunc(all, scope.HasPlatform)
}

// images lists the images below an index that are selected, without attestations.
func (v *Visit) images() []*Visit {
	var found []*Visit
	seen := make(map[*Visit]bool)
	var walk func(*Visit)
	walk = func(v *Visit) {
		for _, child := range v.children {
			if seen[child] || v.callsAttestation(child) {
				continue
			}
			seen[child] = true
			if child.Node.Index {
				walk(child)
				continue
			}
			found = append(found, child)
		}
	}
	walk(v)
	return found
}

// callsAttestation reports whether the index v names a child as an attestation of BuildKit.
func (v *Visit) callsAttestation(child *Visit) bool {
	return slices.ContainsFunc(v.Node.Children, func(c ocispec.Descriptor) bool {
		return c.Digest == child.Node.Digest && scope.IsAttestation(c)
	})
}
