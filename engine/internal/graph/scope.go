package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
)

// Scope is how much of a graph is selected.
type Scope struct {
	Referrers bool
	wants     func(artifactType string) bool // which of the referrers
	Digests   []digest.Digest                // those referrers and no others; nil leaves it open
	Platforms []config.Platform              // which children of an index; none: all
	locked    bool                           // what the graph refers to comes along only if it is one of the subjects
	subjects  []digest.Digest
	asksTags  bool   // cosign's tags are asked for one by one where the tags are not listed
	beside    *Scope // for what refers to the graph; nil: the same
	Key       string // tells scopes apart
}

// forReferrers returns the scope for what refers to the graph: the same, but
// where tags are not listed it is not asked what cosign attached to a signature.
func (s *Scope) forReferrers() *Scope {
	if s.beside == nil {
		return s
	}
	return s.beside
}

// follows tells whether what a manifest refers to comes along.
func (s *Scope) follows(subject digest.Digest) bool {
	return !s.locked || slices.Contains(s.subjects, subject)
}

// forSubject returns the scope for what the graph refers to: all of that, but not
// what else refers to it.
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

// pinned tells whether a lock leaves a referrer in.
func (s *Scope) pinned(d digest.Digest) bool {
	return s.Digests == nil || slices.Contains(s.Digests, d)
}

// ScopeOf returns the scope of a selection.
func ScopeOf(s config.Selection) *Scope {
	scope := &Scope{Referrers: s.Referrers, wants: s.WantsReferrer, Digests: s.ReferrerDigests, Platforms: s.Platforms, locked: s.Locked, subjects: s.Subjects}
	scope.Key = fmt.Sprint(s.Referrers, " ", strings.Join(s.ReferrerTypes, " "), " ", s.ReferrerDigests != nil, s.ReferrerDigests, " ",
		PlatformNames(s.Platforms), s.Locked, s.Subjects)
	return scope.alone()
}

// ScopeOfAll selects what is there, of an index that was cut down to platforms.
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

// children returns those of an index that are selected: the wanted platforms,
// what says nothing of a platform, and the attestations of what is selected.
func (s *Scope) children(n *Node) []ocispec.Descriptor {
	if len(s.Platforms) == 0 {
		return n.Children
	}
	kept := make(map[digest.Digest]bool)
	for _, c := range n.Children {
		if !isAttestation(c) && s.selects(c) {
			kept[c.Digest] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(n.Children), func(c ocispec.Descriptor) bool {
		if image, is := store.AttestationOf(c); is {
			return !kept[image]
		}
		return !kept[c.Digest]
	})
}

func (s *Scope) selects(c ocispec.Descriptor) bool {
	return !HasPlatform(c) || slices.ContainsFunc(s.Platforms, func(p config.Platform) bool { return IsFor(c, p) })
}

// HasPlatform tells whether a child of an index says what it is for. "unknown" is
// what BuildKit writes for what is no image.
func HasPlatform(c ocispec.Descriptor) bool {
	return c.Platform != nil && c.Platform.OS != "unknown"
}

// IsFor tells whether a child of an index is for a platform.
func IsFor(c ocispec.Descriptor, p config.Platform) bool {
	return p.Matches(c.Platform.OS, c.Platform.Architecture, c.Platform.Variant)
}

// Takes tells whether some platforms are all that there are in v itself.
func (v *Visit) Takes(platforms []config.Platform) bool {
	nested := slices.ContainsFunc(v.children, func(w *Visit) bool { return w.Node.Index })
	return !nested && len((&Scope{Platforms: platforms}).children(v.Node)) == len(v.Node.Children)
}

// PlatformsOf tells which of the wanted platforms v has images for, in whatever
// index below it; sound is false where it has none, although it has for others.
func (s *Scope) PlatformsOf(v *Visit) (missing []config.Platform, sound bool) {
	var all []ocispec.Descriptor
	plain := false // an image that does not say what it is for
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
	missing = slices.DeleteFunc(slices.Clone(s.Platforms), func(p config.Platform) bool {
		return slices.ContainsFunc(all, func(c ocispec.Descriptor) bool { return HasPlatform(c) && !isAttestation(c) && IsFor(c, p) })
	})
	return missing, plain || len(missing) < len(s.Platforms) || !slices.ContainsFunc(all, HasPlatform)
}

func isAttestation(c ocispec.Descriptor) bool {
	_, is := store.AttestationOf(c)
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
