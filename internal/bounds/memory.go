package bounds

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// MemoryError is the error for memory beyond the limit of the process.
type MemoryError struct{ Most int64 }

func (e *MemoryError) Error() string {
	return fmt.Sprintf("needs more than %d MiB of memory", e.Most>>20)
}

// account counts the memory that a process keeps. The zero value has no limit.
type account struct {
	most   int64 // 0: no limit
	used   atomic.Int64
	once   sync.Once // guards the call of onHalf
	onHalf func()    // called when half of the limit is used for the first time; may be nil
}

var process atomic.Pointer[account]

func init() { process.Store(&account{}) }

// SetMemory limits the memory that the process keeps from now on, in bytes. Beyond the
// limit of runtime/debug.SetMemoryLimit the garbage collector works harder; beyond this
// one reading fails. Memory that is kept already does not count; 0 means no limit.
// onHalf is called once, when half of it is used; it may be nil.
func SetMemory(most int64, onHalf func()) { process.Store(&account{most: most, onHalf: onHalf}) }

// Take counts n bytes that the caller is going to keep. If they do not fit it returns a
// *MemoryError and counts nothing.
func Take(n int64) error {
	a := process.Load()
	if used := a.used.Add(n); a.most > 0 && used > a.most {
		a.used.Add(-n)
		return &MemoryError{Most: a.most}
	} else if used > a.most/2 && a.onHalf != nil {
		a.once.Do(a.onHalf)
	}
	return nil
}

// TakeOfHalf is Take for a caller that has taken has bytes already, and may use at most
// half of the limit: the other half is for the data derived from it.
func TakeOfHalf(has, n int64) error { return takeOf(process.Load().most/2, has, n) }

// TakeOfThird is Take for lists that grow concurrently, and may use at most a third of
// the limit: each leaves behind the memory that it outgrew, in pieces that the others
// cannot use.
func TakeOfThird(has, n int64) error { return takeOf(process.Load().most/3, has, n) }

func takeOf(most, has, n int64) error {
	if most > 0 && has+n > most {
		return &MemoryError{Most: most}
	}
	return Take(n)
}

// Give undoes a Take of n bytes.
func Give(n int64) { process.Load().used.Add(-n) }

// Room returns how many of the wanted bytes are free, but at least minimum: a caller
// that works with less must not fail because of others.
func Room(wanted, minimum int64) int64 {
	a := process.Load()
	if a.most == 0 {
		return wanted
	}
	return min(wanted, max(a.most-a.used.Load(), minimum))
}
