//go:build unix

package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestSecondSignalEndsAtOnce blocks a run where it cannot end by itself: in a write to a
// pipe without a reader.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", testregistry.Random("large", 4<<20))
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cmd := exec.CommandContext(t.Context(), "oras-mirror", "backup", "-o", "-", r.Reference("app", "v1"))
	cmd.Stdout = writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	if _, err := reader.Read(make([]byte, 1)); err != nil { // it writes, and will fill the pipe
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case err := <-ended:
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 130 {
				t.Errorf("ended with %v", err)
			}
			return
		case <-again.C:
			_ = cmd.Process.Signal(syscall.SIGINT) // it may have ended by now
		}
	}
}

// TestSignalEndsAWaitForStandardInput ends a run that waits for input that never comes.
func TestSignalEndsAWaitForStandardInput(t *testing.T) {
	reader, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	in := exit.NewReader(ctx, reader)
	go func() {
		writer.Write([]byte("a.io/b:c\n"))
		cancel(&exit.SignalError{Signal: syscall.SIGTERM})
	}()
	_, err := io.ReadAll(in)
	if _, ok := errors.AsType[*exit.SignalError](err); !ok {
		t.Errorf("ended with %v", err)
	}
}
