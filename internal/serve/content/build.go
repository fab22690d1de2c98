package content

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// builder makes a table of the entries of all inputs.
type builder struct {
	*table
	options Options
	inputs  []string

	rows    []row
	numbers map[string]int32 // of sources, by their names
	media   map[string]uint16
	homeSet map[string]uint32 // by their texts
	homed   [][]string        // the names of the sources of each
	unnamed int               // artifacts without a repository

	prefix string // of the name before, up to its tag
	last   int32  // its source
}

// row is an entry with a tag, before the tags are sorted by their sources.
type row struct {
	tagged
	source int32
	input  uint16
}

func newBuilder(o Options) *builder {
	return &builder{
		table:   &table{words: []string{""}, clashes: make([]Clash, 1)},
		options: o, numbers: make(map[string]int32), media: map[string]uint16{"": 0}, homeSet: make(map[string]uint32), homed: make([][]string, 1),
	}
}

// addInput adds the entries of one input.
func (b *builder) addInput(path string, l store.Layout) {
	b.inputs = append(b.inputs, path)
	entries := l.Index().Entries
	b.rows = slices.Grow(b.rows, len(entries)/2)
	for i := range entries {
		if e := &entries[i]; e.Name == "" {
			b.addReferrer(e, e.Repositories)
		} else {
			b.addNamed(e)
		}
	}
}

// addNamed adds an artifact with a name. One with a digest for a tag needs none: any digest is
// looked up in the inputs. But it may be a referrer.
func (b *builder) addNamed(e *oci.Entry) {
	source, tag, ok := b.parse(e.Name)
	if !ok {
		b.unnamed++
		return
	}
	if tag == "" {
		b.addReferrer(e, []string{b.sources[source].Name()})
		return
	}
	b.rows = append(b.rows, row{tagged{text: uint32(len(b.text)), length: uint8(len(tag)), sum: b.addSum(compact.Of(e.Digest)), media: b.word(e.MediaType)}, source, uint16(len(b.inputs) - 1)})
	b.text = append(b.text, tag...)
}

// addReferrer adds a manifest without a tag, which may be a referrer, to some repositories; to
// all if there are none. What is no referrer is found by its digest in every repository.
func (b *builder) addReferrer(e *oci.Entry, homes []string) {
	r := referrer{sum: b.addSum(compact.Of(e.Digest)), media: b.word(e.MediaType), homes: b.home(homes)}
	if e.Subject == "" {
		b.unread = append(b.unread, r)
		return
	}
	r.subject = b.addSum(e.Subject)
	b.referrers = append(b.referrers, r)
}

func (b *builder) addSum(d compact.Digest) uint32 {
	at := uint32(len(b.sums))
	b.sums = append(b.sums, d...)
	return at
}

// word returns the number of a media type. After 65,535 different ones the rest have none.
func (b *builder) word(text string) uint16 {
	number, known := b.media[text]
	if !known && len(b.words) < math.MaxUint16 {
		number = uint16(len(b.words))
		b.words = append(b.words, text)
		b.media[text] = number
	}
	return number
}

// home returns the number of a set of sources, by their names.
func (b *builder) home(names []string) uint32 {
	if len(names) == 0 {
		return 0
	}
	key := strings.Join(names, ",")
	number, known := b.homeSet[key]
	if !known {
		number = uint32(len(b.homed))
		b.homed = append(b.homed, names)
		b.homeSet[key] = number
	}
	return number
}

// parse returns the source and the tag of an entry's name. Entries come sorted by their
// names, so most have the source of the one before.
func (b *builder) parse(name string) (source int32, tag string, ok bool) {
	if at := strings.LastIndexByte(name, ':'); at > 0 && name[:at] == b.prefix && config.CheckTag(name[at+1:]) == nil {
		return b.last, name[at+1:], true
	}
	ref, ok := config.ParseEntryName(name)
	if !ok {
		return 0, "", false
	}
	if ref.Registry == "" {
		ref.Registry, ref.Repository = b.options.Repository.Registry, b.options.Repository.Repository
		return b.number(ref), ref.Tag, ref.Repository != ""
	}
	if source = b.number(ref); ref.Digest == "" {
		b.prefix, b.last = strings.TrimSuffix(name, ":"+ref.Tag), source
	}
	return source, ref.Tag, true
}

// number returns the number of a source, which it adds if it is new.
func (b *builder) number(ref config.Reference) int32 {
	if ref.Repository == "" {
		return 0
	}
	s := source{registry: strings.ToLower(dockerhub.Registry(ref.Registry)), path: ref.Repository}
	number, known := b.numbers[s.Name()]
	if !known {
		number = int32(len(b.sources))
		b.sources = append(b.sources, s)
		b.numbers[s.Name()] = number
	}
	return number
}

// build sorts what was added.
func (b *builder) build() (*table, error) {
	if b.options.Repository.Repository != "" {
		b.number(b.options.Repository)
	}
	b.sortSources()
	b.assignTags()
	b.sortReferrers()
	if err := b.addNames(); err != nil {
		return nil, err
	}
	if b.unnamed > 0 && len(b.names) == 0 {
		return nil, &UnnamedError{Path: strings.Join(b.inputs, ", ")}
	}
	if b.unnamed > 0 {
		b.options.Notice(text.Count(b.unnamed, "artifact") + " without a repository in the name: not served")
	}
	b.noteClashes()
	return b.table, nil
}

// sortSources sorts the sources and renumbers what refers to them.
func (b *builder) sortSources() {
	order := make([]int32, len(b.sources))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int { return compareSources(b.sources[i], b.sources[j]) })
	sorted, renumbered := make([]source, len(order)), make([]int32, len(order))
	for now, before := range order {
		sorted[now], renumbered[before] = b.sources[before], int32(now)
	}
	b.sources = sorted
	for i := range b.rows {
		b.rows[i].source = renumbered[b.rows[i].source]
	}
	b.homes = make([][]int32, len(b.homed))
	for i, names := range b.homed {
		for _, name := range names {
			if number, known := b.numbers[name]; known {
				b.homes[i] = append(b.homes[i], renumbered[number])
			}
		}
	}
	b.numbers, b.homeSet, b.homed, b.media = nil, nil, nil, nil
}

// assignTags gives each source its tags. A tag of two digests is a clash.
func (b *builder) assignTags() {
	slices.SortStableFunc(b.rows, func(x, y row) int {
		return cmp.Or(cmp.Compare(x.source, y.source), bytes.Compare(b.tag(x.tagged), b.tag(y.tagged)))
	})
	for begin := 0; begin < len(b.rows); {
		end := begin
		for end < len(b.rows) && b.rows[end].source == b.rows[begin].source {
			end++
		}
		s := &b.sources[b.rows[begin].source]
		s.tags = make([]tagged, 0, end-begin)
		var from uint16
		for _, r := range b.rows[begin:end] {
			if n := len(s.tags); n == 0 || !bytes.Equal(b.tag(s.tags[n-1]), b.tag(r.tagged)) {
				s.tags, from = append(s.tags, r.tagged), r.input
			} else if before := &s.tags[n-1]; !b.equal(before.sum, r.sum) && before.clash == 0 {
				before.clash = b.addClash(b.describe(before.sum, from), b.describe(r.sum, r.input))
			}
		}
		begin = end
	}
	b.rows = nil
}

func (b *builder) equal(sum, other uint32) bool { return bytes.Equal(b.sum(sum), b.sum(other)) }

// describe names an artifact by its digest and the input that it is in.
func (b *builder) describe(sum uint32, input uint16) string {
	return string(compact.Digest(b.sum(sum)).Digest()) + " of " + b.inputs[input]
}

func (b *builder) addClash(one, other string) uint32 {
	b.clashes = append(b.clashes, Clash{one, other})
	return uint32(len(b.clashes) - 1)
}

// sortReferrers sorts the referrers and removes those that several inputs have.
func (b *builder) sortReferrers() {
	slices.SortFunc(b.referrers, b.compareReferrers)
	b.referrers = slices.CompactFunc(b.referrers, func(x, y referrer) bool { return b.compareReferrers(x, y) == 0 && x.homes == y.homes })
}

func (t *table) compareReferrers(x, y referrer) int {
	return cmp.Or(bytes.Compare(t.sum(x.subject), t.sum(y.subject)), bytes.Compare(t.sum(x.sum), t.sum(y.sum)), cmp.Compare(x.homes, y.homes))
}
