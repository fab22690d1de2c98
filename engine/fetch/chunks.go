package fetch

import "sync"

// chunks is a pool of buffers of one size, last in, first out: the buffer that was
// given back last is still in the processor's cache. (sync.Pool would keep an uncounted
// stock for each processor.)
type chunks struct {
	size int64

	mu        sync.Mutex // guards what follows
	idle      [][]byte
	out, peak int64 // bytes in use
}

// take returns an empty chunk. It never waits: Budget limits the memory.
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

// put gives a chunk back.
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
