package headway

import (
	"io"
)

// Counted tells Heard how many bytes are read through it.
type Counted struct {
	io.Reader
	Heard func(n int64)
}

func (c *Counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if n > 0 {
		c.Heard(int64(n))
	}
	return n, err
}
