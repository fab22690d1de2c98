package content

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// maxWrongNames bounds the errors of one build: a wrong mapping may fail for every name.
const maxWrongNames = 50

// addNames maps every source to the name that a restore would give it.
func (b *builder) addNames() error {
	parts := make(map[string][]part)
	var wrong []error
	for i := range b.sources {
		s := &b.sources[i]
		path, _, ok, err := b.options.Mapper.Map(config.Reference{Registry: s.registry, Repository: s.path})
		if s.excluded = !ok && err == nil; err != nil && len(wrong) < maxWrongNames {
			wrong = append(wrong, err)
		}
		if ok {
			tags, err := b.renamed(s)
			if err != nil && len(wrong) < maxWrongNames {
				wrong = append(wrong, err)
			}
			parts[path] = append(parts[path], part{int32(i), tags})
		}
	}
	for path, all := range parts {
		n := name{path: path, parts: all, tags: all[0].tags}
		if len(all) > 1 {
			n.tags = b.united(all)
		}
		b.artifacts += len(n.tags)
		b.names = append(b.names, n)
	}
	slices.SortFunc(b.names, func(x, y name) int { return cmp.Compare(x.path, y.path) })
	return errors.Join(wrong...)
}

// renamed returns the tags of a source as a restore would name them. It fails, as a restore
// does, for a tag that is mapped to an invalid one.
func (b *builder) renamed(s *source) ([]tagged, error) {
	if !b.options.Mapper.RenamesTags() {
		return s.tags, nil
	}
	tags := slices.Clone(s.tags)
	for i := range tags {
		was := string(b.tag(tags[i]))
		_, now, ok, err := b.options.Mapper.Map(config.Reference{Registry: s.registry, Repository: s.path, Tag: was})
		if err != nil {
			return nil, err
		}
		if ok && now != was {
			tags[i].text, tags[i].length = uint32(len(b.text)), uint8(len(now))
			b.text = append(b.text, now...)
		}
	}
	slices.SortStableFunc(tags, b.compareTagged)
	describe := func(x tagged) string { return s.Name() + "@" + string(compact.Digest(b.sum(x.sum)).Digest()) }
	return b.distinct(tags, describe), nil
}

func (b *builder) compareTagged(x, y tagged) int { return bytes.Compare(b.tag(x), b.tag(y)) }

// united merges the tags of several sources that have one name.
func (b *builder) united(parts []part) []tagged {
	var all []tagged
	from := make(map[uint32]int32) // the source of a digest, by its offset
	for _, p := range parts {
		for _, x := range p.tags {
			from[x.sum] = p.source
		}
		all = append(all, p.tags...)
	}
	slices.SortStableFunc(all, b.compareTagged)
	return b.distinct(all, func(x tagged) string { return b.sources[from[x.sum]].Name() + ":" + string(b.tag(x)) })
}

// distinct merges equal tags. Equal tags of different digests are a clash, which names both by
// describe.
func (b *builder) distinct(tags []tagged, describe func(tagged) string) []tagged {
	kept := tags[:0]
	for _, x := range tags {
		n := len(kept)
		switch {
		case n == 0 || !bytes.Equal(b.tag(kept[n-1]), b.tag(x)):
			kept = append(kept, x)
		case !b.equal(kept[n-1].sum, x.sum) && kept[n-1].clash == 0:
			kept[n-1].clash = b.addClash(describe(kept[n-1]), describe(x))
		}
	}
	return slices.Clip(kept)
}

// noteClashes notes the names that are not served because they stand for two artifacts.
func (b *builder) noteClashes() {
	const most = 5
	said := 0
	for i := range b.names {
		for _, x := range b.names[i].tags {
			if x.clash == 0 {
				continue
			}
			if said++; said <= most {
				c := b.clashes[x.clash]
				b.options.Notice(fmt.Sprintf("%s:%s is not served: it is both %s and %s", b.names[i].path, b.tag(x), c.One, c.Other))
			}
		}
	}
	if said > most {
		b.options.Notice(text.Count(said-most, "more name") + " not served for the same reason")
	}
}
