package fetch

import "sync"

// slab is how much is asked of the runtime at once. Chunks of 64 KiB made one by
// one cost a tenth of the throughput.
const slab = 1 << 20

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
	defer c.mu.Unlock()
	if len(c.idle) == 0 {
		c.grow()
	}
	c.out += c.size
	c.peak = max(c.peak, c.out)
	last := len(c.idle) - 1
	chunk := c.idle[last]
	c.idle = c.idle[:last]
	return chunk
}

// grow adds a slab's worth of chunks. mu is held.
func (c *chunks) grow() {
	n := min(max(slab/c.size, 1), 16)
	memory := make([]byte, n*c.size)
	for ; n > 0; n-- {
		c.idle = append(c.idle, memory[:0:c.size])
		memory = memory[c.size:]
	}
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
