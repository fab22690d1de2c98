package bundle

import "io"

// Head is the beginning of an archive that others begin with, too: the parts of a bundle share
// their manifests.
type Head struct {
	table       *table
	offset      int64
	compression Compression
}

// Head returns what is written, between two entries. It keeps the table once for all archives
// that begin so.
func (w *Writer) Head() *Head {
	head := w.table
	w.table = table{tally: head.tally, head: &head}
	return &Head{&head, w.offset, w.compression}
}

// Size returns the number of bytes.
func (h *Head) Size() int64 { return h.offset }

// NewWriter returns a Writer of an archive that begins with h. w continues at its end.
func (h *Head) NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, compression: h.compression, offset: h.offset, table: table{tally: h.table.tally, head: h.table}}
}

// Resume is Resume for an archive that begins with h, followed by entries.
func (h *Head) Resume(w io.Writer, entries []RecoveredEntry) (*Writer, error) {
	resumed := h.NewWriter(w)
	return resumed, resumed.resume(entries)
}

// Bound adds up the bytes that an archive takes at most, if nothing gets smaller by
// compression.
type Bound struct {
	compression Compression
	entries     int64 // bytes of them
	records     int64 // bytes of the table's
}

// Bound returns that of an archive that begins with h and has nothing else.
func (h *Head) Bound() Bound { return Bound{h.compression, h.offset, int64(h.table.size())} }

// Add adds an entry.
func (b *Bound) Add(name string, size int64) {
	length := TarSize(name, size)
	if b.compression == Gzip {
		full := length / memberData
		rest := length % memberData
		length = full * int64(storedLength(memberData))
		if rest > 0 {
			length += int64(storedLength(int(rest)))
		}
	}
	b.entries += length
	var scratch [1 + offsetLength + maxKey]byte
	b.records += int64(len(appendRecord(scratch[:0], name, 0)))
}

// Total returns the bytes of the archive with its end.
func (b Bound) Total() int64 {
	if b.compression == None {
		return b.entries + tarEnd
	}
	perMember := int64(maxPayload - (1 + offsetLength + maxKey)) // no record is split
	members := 1 + b.records/perMember
	table := b.records + members*int64(minMember+subfield) + int64(lastLength)
	return b.entries + int64(storedLength(tarEnd)) + table
}

// Fit returns the size of the largest entry with a name that keeps the archive within most
// bytes, in whole blocks of the tar; 0 if there is no room for one.
func (b Bound) Fit(name string, most int64) int64 {
	low, high := int64(0), max(0, most/tarBlock) // blocks: low fits, high+1 does not
	for low < high {
		middle := (low + high + 1) / 2
		with := b
		with.Add(name, middle*tarBlock)
		if with.Total() <= most {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low * tarBlock
}
