// Package scope selects a part of a graph: the children of an index by platform, the referrers
// by type or digest, and the policy that checks their signatures.
package scope

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

// Scope selects a part of a graph. It does not change once it is made.
type Scope struct {
	Referrers  bool
	Wants      func(artifactType string) bool // which of the referrers
	EveryType  bool                           // Wants is true for any type
	Digests    []digest.Digest                // those referrers and no others; nil leaves it open
	Platforms  []config.Platform              // which children of an index; none: all
	Locked     bool                           // a subject comes along only if it is one of subjects
	AsksTags   bool                           // cosign's tags are asked for one by one where the tags are not listed
	Policy     engine.Policy                  // checks signatures; nil: none are needed
	Repository string                         // of the source, for the policy
	Owner      *Scope                         // that of the artifact to which cosign attached this one, if a policy checks that
	Subject    digest.Digest                  // the manifest to which it is attached
	Key        string                         // tells scopes apart
	subjects   []digest.Digest
	beside     *Scope // for the referrers of the graph; nil: the same
	below      *Scope // for the children of an index; nil: the same
}

// Of returns the scope of a selection.
func Of(s config.Selection) *Scope {
	scope := &Scope{Referrers: s.Referrers, Wants: s.WantsReferrer, EveryType: s.Referrers && len(s.ReferrerTypes) == 0, Digests: s.ReferrerDigests, Platforms: s.Platforms, Locked: s.Locked, subjects: s.Subjects}
	scope.Key = fmt.Sprint(s.Referrers, " ", strings.Join(s.ReferrerTypes, " "), " ", s.ReferrerDigests != nil, s.ReferrerDigests, " ",
		PlatformNames(s.Platforms), s.Locked, s.Subjects)
	return scope.alone()
}

// OfAll returns the scope of all content of a layout whose index may be cut down to
// some platforms.
func OfAll(referrers bool, platforms []config.Platform) *Scope {
	return &Scope{Referrers: referrers, Wants: func(string) bool { return true }, Platforms: platforms,
		Key: fmt.Sprint(referrers, " ", PlatformNames(platforms))}
}

// alone completes a scope with the one for referrers.
func (s *Scope) alone() *Scope {
	quiet := *s
	quiet.Key += " beside"
	s.AsksTags, s.beside = true, &quiet
	return s
}

// ForReferrers returns the scope for the referrers of the graph: the same, but if tags are
// not listed, no request is made for signatures of signatures.
func (s *Scope) ForReferrers() *Scope {
	if s.beside == nil {
		return s
	}
	return s.beside
}

// Follows reports whether the subject of a manifest comes along.
func (s *Scope) Follows(subject digest.Digest) bool {
	return !s.Locked || slices.Contains(s.subjects, subject)
}

// ForSubject returns the scope for the subject of the graph: all of it, but not its other
// referrers.
func (s *Scope) ForSubject() *Scope {
	return &Scope{Locked: s.Locked, subjects: s.subjects, Key: fmt.Sprint("subject ", s.Locked, s.subjects)}
}

// Admits reports whether a lock admits a referrer.
func (s *Scope) Admits(d digest.Digest) bool {
	return s.Digests == nil || slices.Contains(s.Digests, d)
}

// Children returns the selected children of an index: the wanted platforms, children
// without a platform, and the attestations of the selected images.
func (s *Scope) Children(all []ocispec.Descriptor) []ocispec.Descriptor {
	if len(s.Platforms) == 0 {
		return all
	}
	kept := make(map[digest.Digest]bool)
	for _, c := range all {
		if !IsAttestation(c) && s.selects(c) {
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
