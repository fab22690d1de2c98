package oci

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// WriteTo writes index.json, with the same bytes for the same entries in any order.
// Entries with names come first, by name and digest, then the others by digest. Each is on
// a line of its own, so that a diff shows the changes.
func (x *Index) WriteTo(w io.Writer) (int64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	count := &countWriter{w: w}
	out := bufio.NewWriterSize(count, 64<<10)
	out.WriteString(`{"schemaVersion":2,"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[`)
	var line []byte
	enc := &entryEncoder{annotations: make(map[string]string)}
	separator := "\n"
	for _, i := range x.Order() {
		line = enc.append(append(line[:0], separator...), &x.Entries[i])
		if _, err := out.Write(line); err != nil {
			return count.n, err
		}
		separator = ",\n"
	}
	line = append(line[:0], "\n]"...)
	if len(x.Annotations) > 0 {
		line = enc.appendAnnotations(line, x.Annotations)
	}
	line = appendFields(line, x.foreign)
	out.Write(append(line, "}\n"...))
	err := out.Flush()
	return count.n, err
}

// Order returns the positions of the entries in the order in which they are written.
func (x *Index) Order() []int32 {
	order := make([]int32, len(x.Entries))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int {
		a, b := &x.Entries[i], &x.Entries[j]
		if (a.Name == "") != (b.Name == "") {
			return cmp.Compare(b.Name, a.Name)
		}
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Digest, b.Digest), cmp.Compare(i, j))
	})
	return order
}

// entryEncoder encodes entries one after the other. It uses its map and its keys again for
// each: there may be hundreds of thousands.
type entryEncoder struct {
	annotations map[string]string
	keys        []string
}

// append appends the JSON of an entry to b.
func (c *entryEncoder) append(b []byte, e *Entry) []byte {
	b = AppendString(append(b, `{"mediaType":`...), e.MediaType)
	if e.ArtifactType != "" {
		b = AppendString(append(b, `,"artifactType":`...), e.ArtifactType)
	}
	b = AppendString(append(b, `,"digest":`...), string(e.Digest))
	b = strconv.AppendInt(append(b, `,"size":`...), e.Size, 10)
	clear(c.annotations)
	if e.annotate(c.annotations); len(c.annotations) > 0 {
		b = c.appendAnnotations(b, c.annotations)
	}
	if e.foreign != nil {
		b = appendFields(b, e.foreign.fields)
	}
	return append(b, '}')
}

func (c *entryEncoder) appendAnnotations(b []byte, all map[string]string) []byte {
	b = append(b, `,"annotations":{`...)
	c.keys = slices.AppendSeq(c.keys[:0], maps.Keys(all))
	slices.Sort(c.keys)
	for n, key := range c.keys {
		if n > 0 {
			b = append(b, ',')
		}
		b = AppendString(b, key)
		b = AppendString(append(b, ':'), all[key])
	}
	return append(b, '}')
}

func appendFields(b []byte, fields map[string]json.RawMessage) []byte {
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		b = AppendString(append(b, ','), key)
		b = append(append(b, ':'), fields[key]...)
	}
	return b
}

// AppendString appends a text as a JSON string.
func AppendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x80 || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // of a string: cannot fail
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

// countWriter counts the bytes that it passes on.
type countWriter struct {
	w io.Writer
	n int64
}

func (c *countWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
