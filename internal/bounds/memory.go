package bounds

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// MemoryError says that what is to be kept does not fit beside what is.
type MemoryError struct{ Most int64 }

func (e *MemoryError) Error() string {
	return fmt.Sprintf("more than %d MiB of memory would be needed", e.Most>>20)
}

// account counts what a process keeps. The zero value has no limit.
type account struct {
	most int64 // 0: without a limit
	used atomic.Int64
	much sync.Once
	told func() // called when half of it is used for the first time; may be nil
}

var process atomic.Pointer[account]

func init() { process.Store(&account{}) }

// SetMemory bounds what the process keeps from now on, in bytes, as
// runtime/debug.SetMemoryLimit bounds the heap: where that makes the collector
// work, this makes reading fail. What is kept already does not count; 0 is no bound.
// much is called once, when half of it is used; it may be nil.
func SetMemory(most int64, much func()) { process.Store(&account{most: most, told: much}) }

// Take counts n bytes that are going to be kept. If they do not fit it is a
// *MemoryError, and nothing is counted.
func Take(n int64) error {
	a := process.Load()
	if used := a.used.Add(n); a.most > 0 && used > a.most {
		a.used.Add(-n)
		return &MemoryError{Most: a.most}
	} else if used > a.most/2 && a.told != nil {
		a.much.Do(a.told)
	}
	return nil
}

// TakeOfHalf is Take for something that has so many bytes already and may have half of
// all at most: the other half is for what is made of it.
func TakeOfHalf(has, n int64) error { return takeOf(process.Load().most/2, has, n) }

// TakeOfThird is TakeOfHalf for lists that grow side by side: each leaves behind what
// it outgrew, in pieces that the others cannot use.
func TakeOfThird(has, n int64) error { return takeOf(process.Load().most/3, has, n) }

func takeOf(most, has, n int64) error {
	if most > 0 && has+n > most {
		return &MemoryError{Most: most}
	}
	return Take(n)
}

// Give takes back what Take counted.
func Give(n int64) { process.Load().used.Add(-n) }

// Room returns how many of wanted bytes are free, but at least least: what can do with
// less must not fail because of others.
func Room(wanted, least int64) int64 {
	a := process.Load()
	if a.most == 0 {
		return wanted
	}
	return min(wanted, max(a.most-a.used.Load(), least))
}
