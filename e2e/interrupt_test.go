package e2e

import (
	"net/http"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

func TestInterruptedBackupLeavesWhatWasThere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent an interrupt there")
	}
	for name, c := range map[string]struct {
		signal os.Signal
		code   int
		bundle bool // there is one of an earlier run
	}{
		"^C, nothing there": {os.Interrupt, 130, false},
		"^C, a bundle":      {os.Interrupt, 130, true},
		"terminated":        {syscall.SIGTERM, 143, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			before := ""
			if c.bundle {
				before = oldBundle(t, d)
			}
			if code := interrupted(t, d, c.signal); code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			after, err := os.ReadFile(d.path("bundle.tgz"))
			if string(after) != before || (err == nil) != c.bundle {
				t.Errorf("afterwards bundle.tgz has %d bytes, %d before: %v", len(after), len(before), err)
			}
		})
	}
}

// oldBundle backs up to bundle.tgz, and returns its content.
func oldBundle(t *testing.T, d *desk) string {
	t.Helper()
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("old"))
	d.run(nil, program, "backup", "-o", "bundle.tgz", r.Reference("app", "v1")).exits(0)
	return d.read("bundle.tgz")
}

// interrupted sends a signal to a backup that hangs in the middle of a blob, and
// returns its exit code.
func interrupted(t *testing.T, d *desk, signal os.Signal) int {
	t.Helper()
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", testregistry.Random("layer", 1_000_000))
	arrived := make(chan struct{}, 10)
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) != "GET blob" {
			return nil
		}
		arrived <- struct{}{}
		return testregistry.StallAt(100, nil)
	})
	cmd := d.command(program, "backup", "-o", "bundle.tgz", r.Reference("app", "v1"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-arrived:
	case err := <-ended:
		t.Fatalf("the backup ended before it asked for a blob: %v", err)
	}
	if err := cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	<-ended
	return cmd.ProcessState.ExitCode()
}
