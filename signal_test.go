//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestSecondSignalEndsAtOnce holds a run where it cannot end by itself: in the
// middle of a write to a pipe that nobody reads.
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

// TestSignalEndsAWaitForStandardInput: nothing comes, and the run ends all the same.
func TestSignalEndsAWaitForStandardInput(t *testing.T) {
	reader, writer := io.Pipe()
	defer writer.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	in := stoppable(ctx, reader)
	go func() {
		writer.Write([]byte("a.io/b:c\n"))
		cancel(&stoppedError{syscall.SIGTERM})
	}()
	_, err := io.ReadAll(in)
	if !is[*stoppedError](err) {
		t.Errorf("ended with %v", err)
	}
}

func TestStoppableReadsAll(t *testing.T) {
	want := testregistry.Random("stoppable", 3*stoppableBuffer+17)
	reader, writer := io.Pipe()
	go func() {
		writer.Write(want)
		writer.Close()
	}()
	got, err := io.ReadAll(stoppable(t.Context(), reader))
	if err != nil || string(got) != string(want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
