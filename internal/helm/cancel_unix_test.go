//go:build unix

package helm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestCancelledWrapper cancels a helm that is a script: the program that it has started keeps its
// output open.
func TestCancelledWrapper(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "started")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	fake(t, "sleep 600 &\necho $! >"+fifo+"\nwait")
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		var pid int
		started, err := os.ReadFile(fifo)
		if err == nil {
			_, err = fmt.Sscan(string(started), &pid)
		}
		t.Cleanup(func() {
			if pid > 0 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		})
		cancel(errors.Join(interrupted, err))
	}()
	if _, err := Template(ctx, "app", strings.NewReader("a chart"), nil); !errors.Is(err, interrupted) {
		t.Errorf("got %v", err)
	}
}
