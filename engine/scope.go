package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store"
)

// scope is how much of a graph is selected.
type scope struct {
	referrers bool
	wants     func(artifactType string) bool // which of the referrers
	digests   []digest.Digest                // those referrers and no others; nil leaves it open
	platforms []config.Platform              // which children of an index; none: all
	locked    bool                           // what the graph refers to comes along only if it is one of the subjects
	subjects  []digest.Digest
	asksTags  bool   // cosign's tags are asked for one by one where the tags are not listed
	beside    *scope // for what refers to the graph; nil: the same
	key       string // tells scopes apart
}

// forReferrers returns the scope for what refers to the graph: the same, but
// where tags are not listed it is not asked what cosign attached to a signature.
func (s *scope) forReferrers() *scope {
	if s.beside == nil {
		return s
	}
	return s.beside
}

// follows tells whether what a manifest refers to comes along.
func (s *scope) follows(subject digest.Digest) bool {
	return !s.locked || slices.Contains(s.subjects, subject)
}

// forSubject returns the scope for what the graph refers to: all of that, but not
// what else refers to it.
func (s *scope) forSubject() *scope {
	return &scope{locked: s.locked, subjects: s.subjects, key: fmt.Sprint("subject ", s.locked, s.subjects)}
}

// alone completes a scope with the one for referrers.
func (s *scope) alone() *scope {
	quiet := *s
	quiet.key += " beside"
	s.asksTags, s.beside = true, &quiet
	return s
}

// pinned tells whether a lock leaves a referrer in.
func (s *scope) pinned(d digest.Digest) bool {
	return s.digests == nil || slices.Contains(s.digests, d)
}

func scopeOf(s config.Selection) *scope {
	scope := &scope{referrers: s.Referrers, wants: s.WantsReferrer, digests: s.ReferrerDigests, platforms: s.Platforms, locked: s.Locked, subjects: s.Subjects}
	scope.key = fmt.Sprint(s.Referrers, " ", strings.Join(s.ReferrerTypes, " "), " ", s.ReferrerDigests != nil, s.ReferrerDigests, " ",
		platformNames(s.Platforms), s.Locked, s.Subjects)
	return scope.alone()
}

// scopeOfAll selects what is there, of an index that was cut down to platforms.
func scopeOfAll(referrers bool, platforms []config.Platform) *scope {
	return &scope{referrers: referrers, wants: func(string) bool { return true }, platforms: platforms,
		key: fmt.Sprint(referrers, " ", platformNames(platforms))}
}

// platformNames writes a selection as an entry of index.json records it.
func platformNames(platforms []config.Platform) string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return strings.Join(names, ",")
}

func parsePlatforms(names string) ([]config.Platform, error) {
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
func (s *scope) children(n *node) []ocispec.Descriptor {
	if len(s.platforms) == 0 {
		return n.children
	}
	kept := make(map[digest.Digest]bool)
	for _, c := range n.children {
		if !isAttestation(c) && s.selects(c) {
			kept[c.Digest] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(n.children), func(c ocispec.Descriptor) bool {
		if image, is := store.AttestationOf(c); is {
			return !kept[image]
		}
		return !kept[c.Digest]
	})
}

func (s *scope) selects(c ocispec.Descriptor) bool {
	return !hasPlatform(c) || slices.ContainsFunc(s.platforms, func(p config.Platform) bool { return isFor(c, p) })
}

// hasPlatform tells whether a child of an index says what it is for. "unknown" is
// what BuildKit writes for what is no image.
func hasPlatform(c ocispec.Descriptor) bool {
	return c.Platform != nil && c.Platform.OS != "unknown"
}

func isFor(c ocispec.Descriptor, p config.Platform) bool {
	return p.Matches(c.Platform.OS, c.Platform.Architecture, c.Platform.Variant)
}

// takes tells whether some platforms are all that there are in v itself.
func (v *visit) takes(platforms []config.Platform) bool {
	nested := slices.ContainsFunc(v.children, func(w *visit) bool { return w.node.index })
	return !nested && len((&scope{platforms: platforms}).children(v.node)) == len(v.node.children)
}

// platformsOf tells which of the wanted platforms v has images for, in whatever
// index below it; sound is false where it has none, although it has for others.
func (s *scope) platformsOf(v *visit) (missing []config.Platform, sound bool) {
	var all []ocispec.Descriptor
	plain := false // an image that does not say what it is for
	v.core(func(v *visit) {
		indexes := make(map[digest.Digest]bool)
		for _, w := range v.children {
			indexes[w.node.digest] = w.node.index
		}
		for _, c := range v.node.children {
			all = append(all, c)
			plain = plain || c.Platform == nil && !indexes[c.Digest]
		}
	})
	missing = slices.DeleteFunc(slices.Clone(s.platforms), func(p config.Platform) bool {
		return slices.ContainsFunc(all, func(c ocispec.Descriptor) bool { return hasPlatform(c) && !isAttestation(c) && isFor(c, p) })
	})
	return missing, plain || len(missing) < len(s.platforms) || !slices.ContainsFunc(all, hasPlatform)
}

func isAttestation(c ocispec.Descriptor) bool {
	_, is := store.AttestationOf(c)
	return is
}

// platformsIn lists the platforms that some children of an index are for.
func platformsIn(children []ocispec.Descriptor) []string {
	var have []string
	for _, c := range children {
		if !hasPlatform(c) || isAttestation(c) {
			continue
		}
		name := config.Platform{OS: c.Platform.OS, Architecture: c.Platform.Architecture, Variant: c.Platform.Variant}.String()
		if !slices.Contains(have, name) {
			have = append(have, name)
		}
	}
	return have
}
