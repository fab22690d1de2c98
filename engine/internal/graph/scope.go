package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Scope selects a part of a graph.
type Scope struct {
	Referrers  bool
	wants      func(artifactType string) bool // which of the referrers
	everyType  bool                           // wants is true for any type
	Digests    []digest.Digest                // those referrers and no others; nil leaves it open
	Platforms  []config.Platform              // which children of an index; none: all
	locked     bool                           // a subject comes along only if it is one of subjects
	subjects   []digest.Digest
	asksTags   bool          // cosign's tags are asked for one by one where the tags are not listed
	beside     *Scope        // for the referrers of the graph; nil: the same
	below      *Scope        // for the children of an index; nil: the same
	policy     engine.Policy // checks signatures; nil: none are needed
	repository string        // of the source, for the policy
	owner      *Scope        // that of the artifact to which cosign attached this one, if a policy checks that
	subject    digest.Digest // the manifest to which it is attached
	Key        string        // tells scopes apart
}

// forReferrers returns the scope for the referrers of the graph: the same, but if tags are
// not listed, no request is made for signatures of signatures.
func (s *Scope) forReferrers() *Scope {
	if s.beside == nil {
		return s
	}
	return s.beside
}

// follows reports whether the subject of a manifest comes along.
func (s *Scope) follows(subject digest.Digest) bool {
	return !s.locked || slices.Contains(s.subjects, subject)
}

// forSubject returns the scope for the subject of the graph: all of it, but not its other
// referrers.
func (s *Scope) forSubject() *Scope {
	return &Scope{locked: s.locked, subjects: s.subjects, Key: fmt.Sprint("subject ", s.locked, s.subjects)}
}

// alone completes a scope with the one for referrers.
func (s *Scope) alone() *Scope {
	quiet := *s
	quiet.Key += " beside"
	s.asksTags, s.beside = true, &quiet
	return s
}

// pinned reports whether a lock admits a referrer.
func (s *Scope) pinned(d digest.Digest) bool {
	return s.Digests == nil || slices.Contains(s.Digests, d)
}

// ScopeOf returns the scope of a selection.
func ScopeOf(s config.Selection) *Scope {
	scope := &Scope{Referrers: s.Referrers, wants: s.WantsReferrer, everyType: s.Referrers && len(s.ReferrerTypes) == 0, Digests: s.ReferrerDigests, Platforms: s.Platforms, locked: s.Locked, subjects: s.Subjects}
	scope.Key = fmt.Sprint(s.Referrers, " ", strings.Join(s.ReferrerTypes, " "), " ", s.ReferrerDigests != nil, s.ReferrerDigests, " ",
		PlatformNames(s.Platforms), s.Locked, s.Subjects)
	return scope.alone()
}

// ScopeOfAll returns the scope of all content of a layout whose index may be cut down to
// some platforms.
func ScopeOfAll(referrers bool, platforms []config.Platform) *Scope {
	return &Scope{Referrers: referrers, wants: func(string) bool { return true }, Platforms: platforms,
		Key: fmt.Sprint(referrers, " ", PlatformNames(platforms))}
}

// PlatformNames writes a selection as an entry of index.json records it.
func PlatformNames(platforms []config.Platform) string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return strings.Join(names, ",")
}

// ParsePlatforms reads what PlatformNames wrote.
func ParsePlatforms(names string) ([]config.Platform, error) {
	if names == "" {
		return nil, nil
	}
	var platforms []config.Platform
	for name := range strings.SplitSeq(names, ",") {
		p, err := config.ParsePlatform(name)
		if err != nil {
			return nil, err
		}
		platforms = append(platforms, p)
	}
	return platforms, nil
}

// children returns the selected children of an index: the wanted platforms, children
// without a platform, and the attestations of the selected images.
func (s *Scope) children(all []ocispec.Descriptor) []ocispec.Descriptor {
	if len(s.Platforms) == 0 {
		return all
	}
	kept := make(map[digest.Digest]bool)
	for _, c := range all {
		if !isAttestation(c) && s.selects(c) {
			kept[c.Digest] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(c ocispec.Descriptor) bool {
		if image, is := oci.AttestationOf(c); is {
			return !kept[image]
		}
		return !kept[c.Digest]
	})
}

func (s *Scope) selects(c ocispec.Descriptor) bool {
	return !HasPlatform(c) || slices.ContainsFunc(s.Platforms, func(p config.Platform) bool { return IsFor(c, p) })
}

// HasPlatform reports whether a child of an index has a platform. BuildKit writes "unknown"
// for a child that is not an image.
func HasPlatform(c ocispec.Descriptor) bool {
	return c.Platform != nil && c.Platform.OS != "unknown"
}

// IsFor reports whether a child of an index is for a platform.
func IsFor(c ocispec.Descriptor, p config.Platform) bool {
	return p.Matches(c.Platform.OS, c.Platform.Architecture, c.Platform.Variant)
}

// isAttestation reports whether a child of an index is an attestation of BuildKit.
func isAttestation(c ocispec.Descriptor) bool {
	_, is := oci.AttestationOf(c)
	return is
}

// PlatformsIn lists the platforms that some children of an index are for.
func PlatformsIn(children []ocispec.Descriptor) []string {
	var have []string
	for _, c := range children {
		if !HasPlatform(c) || isAttestation(c) {
			continue
		}
		name := config.Platform{OS: c.Platform.OS, Architecture: c.Platform.Architecture, Variant: c.Platform.Variant}.String()
		if !slices.Contains(have, name) {
			have = append(have, name)
		}
	}
	return have
}
