//go:build unix

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// signals are those that end a run, with the exit codes that tell of them.
var signals = map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143}

// atBlob starts a command and returns when one of its requests of some kind
// stands still in the middle of a body.
func atBlob(t *testing.T, r *testregistry.Registry, kind string, cmd *exec.Cmd) {
	t.Helper()
	arrived := make(chan struct{}, 1000)
	met := 0
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) != kind {
			return nil
		}
		if met++; met < 5 {
			return nil
		}
		arrived <- struct{}{}
		if req.Method == http.MethodPut {
			return testregistry.Stall(nil)
		}
		return testregistry.StallAt(100, nil)
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-arrived
}

// TestSignalOnce: the run tidies up, says what happened, and what it leaves is
// good for the same command again.
func TestSignalOnce(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillForKills(source)
	shelf := newDesk(t)
	shelf.mirror("backup", "-o", "whole.tgz", source.Host+"/team/app").exits(0)
	for signal, code := range signals {
		for _, output := range []string{"layout/", "bundle.tgz"} {
			t.Run("backup to "+output+" "+signal.String(), func(t *testing.T) {
				d := newDesk(t)
				args := []string{"backup", "-o", output, source.Host + "/team/app"}
				signalled(t, d, source, "GET blob", signal, code, args)
				if d.exists("bundle.tgz") || d.exists("layout/index.json") {
					t.Errorf("something is under its final name: %v", d.files())
				}
				d.mirror(args...).exits(0)
				d.mirror("verify", "--input", strings.TrimSuffix(output, "/")).exits(0)
			})
		}
		t.Run("restore "+signal.String(), func(t *testing.T) {
			d, target := newDesk(t), testregistry.New(t, testregistry.Options{})
			args := []string{"restore", "--input", shelf.path("whole.tgz"), target.Host + "/mirror"}
			signalled(t, d, target, "PUT upload", signal, code, args)
			snapshot(t, target.Access()) // what is visible is whole
			d.mirror(args...).exits(0)
			same(t, snapshot(t, source.Access()).Prefix("mirror"), target.Access())
		})
	}
}

// signalled ends a command in the middle of a blob, and checks how it ends.
func signalled(t *testing.T, d *desk, r *testregistry.Registry, kind string, signal syscall.Signal, code int, args []string) {
	t.Helper()
	cmd := d.command(program, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	atBlob(t, r, kind, cmd)
	if err := cmd.Process.Signal(signal); err != nil {
		t.Error(err)
	}
	cmd.Wait()
	r.Fault(nil)
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Errorf("exit %d, want %d\n%s", got, code, stderr.String())
	}
	word := map[syscall.Signal]string{syscall.SIGINT: "interrupted", syscall.SIGTERM: "terminated"}[signal]
	if errors := errorLines(stderr.String()); !slices.Equal(errors, []string{word}) {
		t.Errorf("it says %q", errors)
	}
}

// errorLines returns what a command says went wrong.
func errorLines(stderr string) []string {
	var all []string
	for line := range strings.Lines(stderr) {
		if text, ok := strings.CutPrefix(line, "oras-mirror: error: "); ok {
			all = append(all, strings.TrimSpace(text))
		}
	}
	return all
}

// TestSignalTwice: a run that cannot tidy up, because no process reads the pipe that
// it writes to, ends at the second signal. The exit code tells which one it was.
func TestSignalTwice(t *testing.T) {
	for _, c := range []struct {
		first, second syscall.Signal
	}{{syscall.SIGINT, syscall.SIGTERM}, {syscall.SIGTERM, syscall.SIGINT}} {
		r := testregistry.New(t, testregistry.Options{})
		second := testregistry.Random("two", 500_000)
		r.Image("app", "v1", testregistry.Random("one", 500_000), second)
		arrived, noticed := make(chan struct{}, 10), make(chan struct{}, 10)
		r.Fault(func(req *http.Request, _ int) testregistry.Fault {
			if path.Base(req.URL.Path) != digest.FromBytes(second).String() {
				return nil
			}
			return func(http.Handler) http.Handler {
				return http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
					arrived <- struct{}{}
					<-req.Context().Done()
					noticed <- struct{}{}
				})
			}
		})
		d := newDesk(t)
		cmd := d.command(program, "backup", "-o", "-", r.Reference("app", "v1"))
		stdout, err := cmd.StdoutPipe() // which the test does not read
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-arrived
		// It is in the first layer. The rest of that does not fit into a pipe.
		if _, err := io.CopyN(io.Discard, stdout, 20_000); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(c.first); err != nil {
			t.Error(err)
		}
		<-noticed
		if err := cmd.Process.Signal(c.second); err != nil {
			t.Error(err)
		}
		if state, err := cmd.Process.Wait(); err != nil || state.ExitCode() != signals[c.second] {
			t.Errorf("%v, then %v: ended with %v, %v", c.first, c.second, state, err)
		}
	}
}

// TestSignalInAPause: a run that waits because a registry asked it to ends at once.
func TestSignalInAPause(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("layer"))
	arrived := make(chan struct{}, 1)
	r.Fault(func(*http.Request, int) testregistry.Fault {
		arrived <- struct{}{}
		return testregistry.Status(http.StatusTooManyRequests, "600")
	})
	d := newDesk(t)
	cmd := d.command(program, "backup", "-o", "bundle.tgz", "--report", "report.json", r.Reference("app", "v1"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-arrived
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit %d", code)
	}
	if d.exists("bundle.tgz") || d.exists("bundle.tgz.partial") || !d.exists("report.json") {
		t.Errorf("the folder has %v", d.files())
	}
}

// TestReportOnAFullDisk: what was backed up is there, and that the report is not is
// said.
func TestReportOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		skipped.Test(t, "/dev/full", err)
	}
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("layer"))
	d := newDesk(t)
	d.mirror("backup", "-o", "bundle.tgz", "--report", "/dev/full", r.Reference("app", "v1")).exits(1).says("cannot write the report")
	d.mirror("verify", "--input", "bundle.tgz", "--metrics", "/dev/full").exits(1).says("cannot write the metrics")
	d.mirror("verify", "--input", "bundle.tgz").exits(0)
}

// TestTwoProcesses: the second one that writes to an output is told at once, and
// the first one does not notice.
func TestTwoProcesses(t *testing.T) {
	for _, output := range []string{"layout/", "bundle.tgz"} {
		t.Run(output, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			r.Image("app", "v1", testregistry.Random("layer", 300_000))
			d := newDesk(t)
			args := []string{"backup", "-o", output, r.Reference("app", "v1")}
			if err := os.Symlink(strings.TrimSuffix(output, "/"), d.path("link")); err != nil {
				t.Fatal(err)
			}
			arrived, release := make(chan struct{}, 10), make(chan struct{})
			r.Fault(testregistry.Always("GET blob", func(answer http.Handler) http.Handler {
				arrived <- struct{}{}
				return testregistry.Stall(release)(answer)
			}))
			first := d.command(program, args...)
			if err := first.Start(); err != nil {
				t.Fatal(err)
			}
			<-arrived
			d.mirror(args...).exits(1).says("another process is writing to it")
			d.mirror("backup", "-o", "link", r.Reference("app", "v1")).exits(1).says("another process is writing to it")
			close(release)
			if err := first.Wait(); err != nil {
				t.Error(err)
			}
			d.mirror("verify", "--input", strings.TrimSuffix(output, "/")).exits(0)
		})
	}
}
