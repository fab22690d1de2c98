package cli

import (
	"cmp"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
)

// align gives the names of two sides the same shape.
func align(a, b *side, spec *config.Spec, d option.DestinationFlags) error {
	if a.lock == nil || b.lock == nil { // what comes along is known of locks alone
		a.digestsOnly()
		b.digestsOnly()
	}
	switch {
	case a.base == "" && b.base == "":
		return nil
	case a.base != "" && b.base != "":
		a.below()
		b.below()
		return nil
	case b.base == "":
		a, b = b, a
	}
	if a.hasOf(b.base) {
		return nil
	}
	m, err := d.Mapper(firstSpec(spec, a.spec))
	if err != nil {
		return err
	}
	b.below()
	return a.place(m)
}

func (s *side) digestsOnly() {
	for i := range s.names {
		s.names[i].With = ""
	}
}

// hasOf keeps what is of a registry and namespace, if there is anything.
func (s *side) hasOf(base string) bool {
	var some []inventory.Name
	for _, t := range s.names {
		if _, ok := cutBase(t.Reference, base); ok && isTagged(t) {
			some = append(some, t)
		}
	}
	if len(some) > 0 {
		s.names = some
	}
	return len(some) > 0
}

func isTagged(t inventory.Name) bool { return !strings.Contains(t.Reference, "@") }

// cutBase cuts REGISTRY[/NAMESPACE] off at the boundary of a path.
func cutBase(reference, base string) (string, bool) {
	rest, ok := strings.CutPrefix(reference, base)
	if !ok || rest == "" || rest[0] != '/' && rest[0] != ':' {
		return "", false
	}
	return rest[1:], true
}

// below makes paths below the side's base of its names; a tag of the base itself
// is the bare tag.
func (s *side) below() {
	for i, t := range s.names {
		if rest, ok := cutBase(t.Reference, s.base); ok {
			s.names[i].Reference = rest
		}
	}
}

// place makes of the names what a restore would call them, and write under them.
// Bare tags stay.
func (s *side) place(m *config.Mapper) error {
	placed := s.names[:0]
	for _, t := range s.names {
		if !isTagged(t) {
			continue
		}
		if written := s.written[t.Reference]; written != "" {
			t.Digest, t.Other = written, ""
		}
		ref, err := config.ParseReference(t.Reference)
		if err == nil {
			repository, tag, ok, err := m.Map(ref)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			t.Reference = cmp.Or(repository, ref.Repository) + ":" + tag
		}
		placed = append(placed, t)
	}
	s.names = placed
	return nil
}
