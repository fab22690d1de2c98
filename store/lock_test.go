package store

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/disk"
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
		out.lock.File.Close() // as the end of a process does
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
		var locked *disk.LockedError
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

func TestArchiveIsLockedInThisProcess(t *testing.T) {
	path := newSample(t).archive(t, "x.tgz", bundle.Gzip)
	closeAll(t, createArchive(t, path, bundle.Gzip)) // its lock went with the rename
	createArchive(t, path, bundle.Gzip)
	var locked *disk.LockedError
	if _, err := CreateArchive(path, bundle.Gzip); !errors.As(err, &locked) {
		t.Errorf("two write one file: %v", err)
	}
}
