package bundle

import (
	"bytes"
	"io"
)

// memberSource reads the members of an archive in order.
type memberSource interface {
	// nextMember returns what the next member inflates to, checked, and where
	// in the file it is; io.EOF where the file ends instead. The data is valid
	// until the next call.
	nextMember() (data []byte, offset int64, err error)
}

// content is the content of one entry, read from members.
type content struct {
	source memberSource
	rest   int64  // of the entry's tar bytes, in members to come
	left   int64  // of its content, in members to come
	data   []byte // of its content, at hand
}

// begin takes the first member of an entry and returns the entry's header.
func (c *content) begin(data []byte, offset int64) (entryHeader, error) {
	h, err := parseEntry(data, offset)
	if err != nil || h.end {
		return h, err
	}
	c.rest, c.left = h.total(), h.size
	return h, c.take(data, h.length, offset)
}

// take accepts a member's data. The first skip bytes are not content.
func (c *content) take(data []byte, skip, offset int64) error {
	if err := checkShare(len(data), c.rest, offset); err != nil {
		return err
	}
	c.rest -= int64(len(data))
	data = data[skip:]
	c.data = data[:min(c.left, int64(len(data)))]
	c.left -= int64(len(c.data))
	if len(bytes.TrimLeft(data[len(c.data):], "\x00")) > 0 {
		return damaged(offset, "the padding of an entry is not zeros")
	}
	return nil
}

// checkShare checks that a member inflates to the expected length: the rest of the entry,
// but at most memberData.
func checkShare(inflated int, rest, offset int64) error {
	if want := min(rest, memberData); int64(inflated) != want {
		return damaged(offset, "a member inflates to %d bytes, expected %d", inflated, want)
	}
	return nil
}

// fill reads until there is data. It returns io.EOF at the end of the content, when all
// members of the entry have been read.
func (c *content) fill() error {
	for len(c.data) == 0 {
		if c.rest == 0 {
			return io.EOF
		}
		data, offset, err := c.source.nextMember()
		if err == nil {
			err = c.take(data, 0, offset)
		}
		if err == io.EOF {
			err = cutOff(offset, "the archive ends within an entry")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *content) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := c.fill(); err != nil {
		return 0, err
	}
	n := copy(p, c.data)
	c.data = c.data[n:]
	return n, nil
}

// WriteTo writes the content in large pieces, without a copy.
func (c *content) WriteTo(w io.Writer) (written int64, err error) {
	for {
		if err := c.fill(); err == io.EOF {
			return written, nil
		} else if err != nil {
			return written, err
		}
		n, err := w.Write(c.data)
		written += int64(n)
		c.data = c.data[n:]
		if err != nil {
			return written, err
		}
	}
}
