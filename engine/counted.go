package engine

import (
	"io"
)

// counted says how many bytes are read through it.
type counted struct {
	io.Reader
	heard func(n int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if n > 0 {
		c.heard(int64(n))
	}
	return n, err
}
