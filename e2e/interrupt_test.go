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
		before string // content of the bundle that is there; empty: none is
	}{
		"^C, nothing there": {os.Interrupt, 130, ""},
		"^C, a bundle":      {os.Interrupt, 130, "the old bundle"},
		"terminated":        {syscall.SIGTERM, 143, "the old bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			if c.before != "" {
				d.write("bundle.tgz", c.before)
			}
			if code := interrupted(t, d, c.signal); code != c.code {
				t.Errorf("exit %d, want %d", code, c.code)
			}
			after, err := os.ReadFile(d.path("bundle.tgz"))
			if string(after) != c.before || (err != nil) != (c.before == "") {
				t.Errorf("afterwards bundle.tgz is %q, %v", after, err)
			}
		})
	}
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
	<-arrived
	if err := cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	cmd.Wait()
	return cmd.ProcessState.ExitCode()
}
