package scope

import (
	"fmt"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
)

// Under returns the scope of an artifact whose signatures the policies in t check: it brings
// those along, whatever else s selects. It is s itself if the artifact needs none.
//
// What cosign attached by a tag is not signed itself. It belongs to an artifact, which is
// checked instead.
func (s *Scope) Under(t engine.Trust, ref config.Reference) *Scope {
	if t == nil {
		return s
	}
	repository := RepositoryOf(ref)
	policy := t.Policy(repository)
	if policy == nil {
		return s
	}
	trusting := s.trusting(policy, repository)
	if subject, is := cosign.Subject(ref.Tag); is {
		return s.attachedTo(subject, trusting)
	}
	return trusting
}

// RepositoryOf returns the repository of a reference as policies name it: REGISTRY/REPOSITORY, ""
// without a registry.
func RepositoryOf(ref config.Reference) string {
	if ref.Registry == "" {
		return ""
	}
	return ref.Name()
}

func (s *Scope) trusting(p engine.Policy, repository string) *Scope {
	trusting := *s
	trusting.Policy, trusting.Repository = p, repository
	trusting.Key = fmt.Sprintf("%s policy %p of %s", s.Key, p, repository)
	trusting.beside = s.ForReferrers()
	trusting.below = &trusting
	if p.Signed() != engine.SignedImages {
		trusting.below = s
	}
	return &trusting
}

// Within returns the scope of an artifact whose layout has only some of its platforms. They count
// if nothing else selects some; nil: all.
func (s *Scope) Within(platforms []config.Platform) *Scope {
	if len(platforms) == 0 || len(s.Platforms) > 0 {
		return s
	}
	plain, beside := *s, *s.ForReferrers()
	beside.Platforms = platforms
	plain.Platforms, plain.Policy, plain.below, plain.beside = platforms, nil, nil, &beside
	plain.Key = s.Key + " " + PlatformNames(platforms)
	return plain.trusting(s.Policy, s.Repository)
}

// attachedTo returns the scope of what cosign attached to a manifest of an artifact with the
// scope owner.
func (s *Scope) attachedTo(subject digest.Digest, owner *Scope) *Scope {
	attached := *s
	attached.Owner, attached.Subject = owner, subject
	return &attached
}

// HasPolicy reports whether a policy checks the signatures of what the scope selects.
func (s *Scope) HasPolicy() bool { return s.Policy != nil || s.Owner != nil }

// ForChildren returns the scope for the children of an index.
func (s *Scope) ForChildren() *Scope {
	if s.below == nil {
		return s
	}
	return s.below
}

// Seeks reports whether referrers are looked for.
func (s *Scope) Seeks() bool { return s.Referrers || s.Policy != nil }
