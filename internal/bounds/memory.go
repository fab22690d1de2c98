package bounds

import (
	"fmt"
	"sync/atomic"
)

// MemoryError says that what is to be kept does not fit beside what is.
type MemoryError struct{ Most int64 }

func (e *MemoryError) Error() string {
	return fmt.Sprintf("the run would need more than %d MiB of memory", e.Most>>20)
}

// account is what a process may keep. The zero value is without a limit.
type account struct {
	most int64 // 0: without a limit
	used atomic.Int64
}

var process atomic.Pointer[account]

func init() { process.Store(&account{}) }

// SetMemory bounds what the process keeps from now on, in bytes, as
// runtime/debug.SetMemoryLimit bounds the heap: where that makes the collector
// work, this makes reading fail. What is kept already does not count; 0 is no bound.
func SetMemory(most int64) { process.Store(&account{most: most}) }

// Take counts n bytes that are going to be kept. If they do not fit it is a
// *MemoryError, and nothing is counted.
func Take(n int64) error {
	a := process.Load()
	if used := a.used.Add(n); a.most > 0 && used > a.most {
		a.used.Add(-n)
		return &MemoryError{Most: a.most}
	}
	return nil
}

// Give takes back what Take counted.
func Give(n int64) { process.Load().used.Add(-n) }

// Room returns how many of wanted bytes can be had, at least least: what can do
// with less is not to fail for others.
func Room(wanted, least int64) int64 {
	a := process.Load()
	if a.most == 0 {
		return wanted
	}
	return min(wanted, max(a.most-a.used.Load(), least))
}
