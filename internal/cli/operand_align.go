package cli

import (
	"cmp"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
)

// align brings the names of two operands into the same form.
func align(a, b *operand, spec *config.Spec, d option.DestinationFlags) error {
	if (a.lock == nil || b.lock == nil) && (a.layout == "" || b.layout == "") { // only two locks, or two layouts, list the same kind of referrers
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

// digestsOnly makes names with the same digest equal.
func (o *operand) digestsOnly() {
	for i := range o.names {
		o.names[i].With = ""
	}
}

// hasOf reports whether some names are below REGISTRY[/NAMESPACE], and keeps only those.
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

// cutBase cuts REGISTRY[/NAMESPACE] off a reference, only at the end of a path element.
func cutBase(reference, base string) (string, bool) {
	rest, ok := strings.CutPrefix(reference, base)
	if !ok || rest == "" || rest[0] != '/' && rest[0] != ':' {
		return "", false
	}
	return rest[1:], true
}

// below makes the names relative to the base; a tag of the base itself becomes a bare tag.
func (o *operand) below() {
	for i, t := range o.names {
		if rest, ok := cutBase(t.Reference, o.base); ok {
			o.names[i].Reference = rest
		}
	}
}

// place replaces names and digests by those that a restore would write. Bare tags stay.
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
