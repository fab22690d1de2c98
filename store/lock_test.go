package store

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// holdEnv makes the test binary a process that opens the path that it names, reports that,
// and keeps it open until its standard input ends.
const holdEnv = "ORAS_MIRROR_TEST_HOLD"

func TestMain(m *testing.M) {
	if path := os.Getenv(holdEnv); path != "" {
		os.Exit(hold(path))
	}
	os.Exit(m.Run())
}

func hold(path string) int {
	out, err := Create(path, CreateOptions{})
	if err != nil {
		os.Stdout.WriteString(err.Error() + "\n")
		return 1
	}
	os.Stdout.WriteString("held\n")
	bufio.NewReader(os.Stdin).ReadString('\n')
	if out, ok := out.(*Dir); ok {
		out.lock.file.Close() // as the end of a process does
	}
	return 0
}

// holder starts a process that locks path, and returns a function that ends it.
func holder(t *testing.T, path string) (end func()) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), holdEnv+"="+path, "GORACE=atexit_sleep_ms=0")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return func() {
		in.Close()
		cmd.Wait()
	}
}

func TestSecondProcessIsLockedOut(t *testing.T) {
	for _, name := range []string{"layout/", "bundle.tgz"} {
		path := t.TempDir() + "/" + name
		end := holder(t, path)
		_, err := Create(path, CreateOptions{})
		var locked *LockedError
		if !errors.As(err, &locked) || locked.Path != path {
			t.Errorf("%s: %v", name, err)
		}
		end()
		out, err := Create(path, CreateOptions{})
		if err != nil {
			t.Errorf("%s, after the other process ended: %v", name, err)
			continue
		}
		closeAll(t, out)
	}
}

// A lock on a file that was renamed or removed meanwhile has no effect.
func TestLockIsOnWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := lockFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !inPlace(first.file, path) {
		t.Error("a fresh lock is not in its place")
	}
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Skip("a file that is open cannot be renamed here")
	}
	if inPlace(first.file, path) {
		t.Error("in its place, with nothing there")
	}
	second, err := lockFile(path)
	if err != nil {
		t.Fatalf("what was moved away is still in the way: %v", err)
	}
	if inPlace(first.file, path) || !inPlace(second.file, path) {
		t.Error("the two are not told apart")
	}
	closeAll(t, first.file)
	closeAll(t, second.file)
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
				l, err := lockFile(path)
				if err != nil {
					continue
				}
				if n := holders.Add(1); n > 1 {
					most.Store(n)
				}
				runtime.Gosched()
				holders.Add(-1)
				if err := l.releaseAfter(func() error { return os.Remove(path) }); err != nil {
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

func TestArchiveIsLockedInThisProcess(t *testing.T) {
	path := newSample(t).archive(t, "x.tgz", bundle.Gzip)
	closeAll(t, createArchive(t, path, bundle.Gzip)) // its lock went with the rename
	createArchive(t, path, bundle.Gzip)
	var locked *LockedError
	if _, err := CreateArchive(path, bundle.Gzip); !errors.As(err, &locked) {
		t.Errorf("two write one file: %v", err)
	}
}
