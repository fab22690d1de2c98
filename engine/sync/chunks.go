package sync

import (
	"io"
	"sync"
)

// chunk is the unit of memory for all but small blobs. Chunks are reused: if each blob of
// 32 MiB had memory of its own, as much again would wait for the garbage collector.
const chunk = 256 << 10

// chunks is a pool of free chunks. It never waits: memory bounds how many are in use.
type chunks struct {
	mu   sync.Mutex // guards free
	free [][]byte
}

// take returns memory for n bytes, in one slice if they are few.
func (c *chunks) take(n int64) [][]byte {
	if n <= minCharge {
		return [][]byte{make([]byte, n)}
	}
	var all [][]byte
	for ; n > 0; n -= chunk {
		all = append(all, c.one()[:min(n, chunk)])
	}
	return all
}

// one returns a free chunk, or a new one.
func (c *chunks) one() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.free) - 1
	if last < 0 {
		return make([]byte, chunk)
	}
	b := c.free[last]
	c.free = c.free[:last]
	return b
}

// give returns chunks to the pool.
func (c *chunks) give(all [][]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range all {
		if cap(b) == chunk {
			c.free = append(c.free, b[:chunk])
		}
	}
}

// chunksReader reads bytes in several chunks.
type chunksReader struct {
	left [][]byte
	off  int // of the first
}

func (r *chunksReader) Read(p []byte) (int, error) {
	for len(r.left) > 0 && r.off == len(r.left[0]) {
		r.left, r.off = r.left[1:], 0
	}
	if len(r.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.left[0][r.off:])
	r.off += n
	return n, nil
}

// fill reads a body into chunks, and calls each with every one of them. It reads to the end
// of the body, so that its connection can be reused.
func fill(all [][]byte, body io.Reader, each func([]byte)) error {
	for _, b := range all {
		if _, err := io.ReadFull(body, b); err != nil {
			return err
		}
		each(b)
	}
	if _, err := body.Read(make([]byte, 1)); err != nil && err != io.EOF {
		return err
	}
	return nil
}
