package fetch

// The account of a flow: what it was granted, and what it holds. The two meet
// whenever a piece is through or a chunk is written. A sink that emits more than
// it took in overdraws the budget, which then grants nothing until that is
// written; one that compresses gives memory back at once.

// take puts chunks that were filled with charge bytes of memory into the account.
func (f *flow) take(charge int64, raw [][]byte) {
	f.mu.Lock()
	f.charged += charge
	f.held += int64(len(raw)) * f.budget.chunk
	f.mu.Unlock()
}

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

// settle gives back what is charged and not held.
func (f *flow) settle() {
	f.mu.Lock()
	f.balance()
	f.mu.Unlock()
}

// balance makes what is charged what is held. mu is held.
func (f *flow) balance() {
	surplus := f.charged - f.held
	f.charged = f.held
	f.budget.release(surplus)
}
