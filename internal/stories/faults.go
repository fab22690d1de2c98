package stories

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/opencontainers/go-digest"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// damageblob truncate|flip LAYOUT CONTENT damages the blob with that content.
func damageblob(ts *testscript.TestScript, neg bool, args []string) {
	d := digest.FromString(args[2])
	damage(ts, neg, []string{args[0], filepath.Join(args[1], "blobs", "sha256", d.Encoded())})
}

// stopAfter N SIGNAL CODE NAME KIND COMMAND... sends a signal when the N-th request of that
// kind has arrived, checks the exit code and writes standard error to the file interrupted.
func (w *world) stopAfter(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var stderr strings.Builder
	cmd := exec.Command(args[5], args[6:]...)
	cmd.Dir, cmd.Stderr, cmd.Env = ts.MkAbs("."), &stderr, environment(ts)
	var count atomic.Int32
	signals := map[string]os.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}
	release := make(chan struct{})
	reached := make(chan struct{})
	w.named(ts, args[3]).Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) != args[4] {
			return nil
		}
		switch i := int(count.Add(1)); {
		case i < n:
			return nil
		case i == n:
			close(reached)
		}
		return testregistry.Stall(release)
	})
	ts.Check(cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-reached:
	case err := <-ended:
		ts.Fatalf("the command ended before it was stopped: %v\n%s", err, stderr.String())
	}
	ts.Check(cmd.Process.Signal(signals[args[1]]))
	code := exitOf(ts, <-ended)
	w.named(ts, args[3]).Fault(nil)
	close(release)
	if strconv.Itoa(code) != args[2] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[2], stderr.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("interrupted"), []byte(stderr.String()), 0o600))
}

// stalls NAME makes the first blob of a registry stop after one byte.
func (w *world) stalls(ts *testscript.TestScript, _ bool, args []string) {
	w.named(ts, args[0]).Fault(testregistry.First(1, "GET blob", testregistry.StallAt(1, nil)))
}
