package cli

import (
	"cmp"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
)

// align gives the names of two sides the same shape.
func align(a, b *operand, spec *config.Spec, d option.DestinationFlags) error {
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

func (o *operand) digestsOnly() {
	for i := range o.names {
		o.names[i].With = ""
	}
}

// hasOf keeps what is of a registry and namespace, if there is anything.
func (o *operand) hasOf(base string) bool {
	var some []inventory.Name
	for _, t := range o.names {
		if _, ok := cutBase(t.Reference, base); ok && isTagged(t) {
			some = append(some, t)
		}
	}
	if len(some) > 0 {
		o.names = some
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
func (o *operand) below() {
	for i, t := range o.names {
		if rest, ok := cutBase(t.Reference, o.base); ok {
			o.names[i].Reference = rest
		}
	}
}

// place makes of the names what a restore would call them, and write under them.
// Bare tags stay.
func (o *operand) place(m *config.Mapper) error {
	placed := o.names[:0]
	for _, t := range o.names {
		if !isTagged(t) {
			continue
		}
		if written := o.written[t.Reference]; written != "" {
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
	o.names = placed
	return nil
}
