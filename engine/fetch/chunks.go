package fetch

import "sync"

// chunks is a pool of buffers of one size, last in, first out: the buffer that
// was given back last is the one that the processor's cache still holds.
// (sync.Pool would keep a stock for each processor, which nobody counts.)
type chunks struct {
	size int64

	mu        sync.Mutex // guards what follows
	idle      [][]byte
	out, peak int64 // bytes in use
}

// take returns an empty chunk. It never waits: what is granted is counted by Budget.
func (c *chunks) take() []byte {
	c.mu.Lock()
	c.out += c.size
	c.peak = max(c.peak, c.out)
	last := len(c.idle) - 1
	if last < 0 {
		c.mu.Unlock()
		return make([]byte, 0, c.size)
	}
	chunk := c.idle[last]
	c.idle = c.idle[:last]
	c.mu.Unlock()
	return chunk
}

func (c *chunks) put(chunk []byte) {
	c.mu.Lock()
	c.out -= c.size
	c.idle = append(c.idle, chunk[:0])
	c.mu.Unlock()
}

func (c *chunks) putAll(list [][]byte) {
	for _, chunk := range list {
		c.put(chunk)
	}
}
