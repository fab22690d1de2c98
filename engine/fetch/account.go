package fetch

// The account of a flow compares the memory that it was granted with the memory that
// it holds. It is settled whenever a piece is encoded or a chunk is written. A sink
// that emits more than it read overdraws the budget, which then grants nothing until
// the excess is written; a sink that compresses gives memory back at once.

// charge adds chunks to the account, and the memory that was granted for them.
func (f *flow) charge(charge int64, raw [][]byte) {
	f.mu.Lock()
	f.charged += charge
	f.held += int64(len(raw)) * f.budget.chunk
	f.mu.Unlock()
}

// free gives one chunk back to the pool.
func (f *flow) free(chunk []byte) {
	f.budget.chunks.put(chunk)
	f.mu.Lock()
	f.held -= f.budget.chunk
	f.mu.Unlock()
}

func (f *flow) freeAll(list [][]byte) {
	for _, chunk := range list {
		f.free(chunk)
	}
}

// settle gives back the memory that is charged but not held.
func (f *flow) settle() {
	f.mu.Lock()
	f.settleLocked()
	f.mu.Unlock()
}

// settleLocked is settle for a caller that holds mu.
func (f *flow) settleLocked() {
	surplus := f.charged - f.held
	f.charged = f.held
	f.budget.release(surplus)
}
