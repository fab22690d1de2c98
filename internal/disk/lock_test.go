package disk

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// A lock on a file that was renamed or removed meanwhile has no effect.
func TestLockIsOnWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if !InPlace(first.File, path) {
		t.Error("a fresh lock is not in its place")
	}
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Skip("a file that is open cannot be renamed here")
	}
	if InPlace(first.File, path) {
		t.Error("in its place, with nothing there")
	}
	second, err := Lock(path)
	if err != nil {
		t.Fatalf("what was moved away is still in the way: %v", err)
	}
	if InPlace(first.File, path) || !InPlace(second.File, path) {
		t.Error("the two are not told apart")
	}
	if err := errors.Join(first.Release(), second.Release()); err != nil {
		t.Error(err)
	}
}

// A process that removes the file that it has locked lets one other process in, and only
// one.
func TestLockHoldsWhenItsFileIsRemoved(t *testing.T) {
	if !movesOpenFiles {
		t.Skip("the lock goes before the file here")
	}
	path := filepath.Join(t.TempDir(), "lock")
	var holders, most atomic.Int32
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 300 {
				l, err := Lock(path)
				if err != nil {
					continue
				}
				if n := holders.Add(1); n > 1 {
					most.Store(n)
				}
				runtime.Gosched()
				holders.Add(-1)
				if err := l.ReleaseAfter(func() error { return os.Remove(path) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if most.Load() > 0 {
		t.Errorf("%d had it at once", most.Load())
	}
}
