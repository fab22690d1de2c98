package cli

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestOneSignalEndsABlockedRun blocks a run in the same place until its time is over.
func TestOneSignalEndsABlockedRun(t *testing.T) {
	t.Parallel()
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", testregistry.Random("large", 4<<20))
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	cmd := exec.CommandContext(t.Context(), "oras-mirror", "backup", "-o", "-", r.Reference("app", "v1"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = writer, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	for look := time.NewTicker(10 * time.Millisecond); ; <-look.C {
		if held, err := unix.IoctlGetInt(int(reader.Fd()), unix.TIOCINQ); err != nil || held >= 60<<10 { // of 64 KiB
			look.Stop()
			break
		}
	}
	var exit *exec.ExitError
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); !errors.As(err, &exit) || exit.ExitCode() != 143 || !strings.Contains(said.String(), "error: terminated") {
		t.Errorf("ended with %v: %s", err, said.String())
	}
}
