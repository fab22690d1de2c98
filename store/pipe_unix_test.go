//go:build unix && !aix && !solaris

package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// A named pipe is written and read as a stream, with any name.
func TestNamedPipe(t *testing.T) {
	s := newSample(t)
	path := filepath.Join(t.TempDir(), "looks-like.tar")
	if err := unix.Mkfifo(path, 0o644); err != nil {
		t.Skip(err)
	}
	written := make(chan error, 1)
	go func() {
		d, err := Create(path, CreateOptions{Compression: "gzip"})
		if err == nil {
			a := d.(*Archive)
			s.writeArchive(t, a)
			_, err = a.Commit(false)
		}
		written <- err
	}()
	var told []int64
	l := openLayoutAt(t, path, OpenOptions{TempDir: t.TempDir(), Spooling: func(n int64) { told = append(told, n) }})
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0] != -1 {
		t.Errorf("told of %d", told)
	}
	testLayout(t, s, l)
	if got := names(t, filepath.Dir(path)); len(got) != 1 {
		t.Errorf("left %q beside the pipe", got)
	}
}

// TestPipeWithoutAReader waits for a reader until the run ends.
func TestPipeWithoutAReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o644); err != nil {
		t.Skip(err)
	}
	stop, asked, told := errors.New("stop"), 0, 0
	_, err := Create(path, CreateOptions{Waiting: func() { told++ }, Interrupted: func() error {
		if asked++; asked < 3 {
			return nil
		}
		return stop
	}})
	if !errors.Is(err, stop) || told != 1 {
		t.Errorf("%v, told %d times", err, told)
	}
}

// TestPipesInTheWayOfALayout: a pipe in place of a file of a layout is an error, and the
// open does not wait.
func TestPipesInTheWayOfALayout(t *testing.T) {
	s := newSample(t)
	blob := bundle.BlobName(s.blobs[1].desc.Digest)
	for name, put := range map[string]func(path string) error{
		"a pipe":   func(path string) error { return unix.Mkfifo(path, 0o644) },
		"a device": func(path string) error { return os.Symlink("/dev/zero", path) },
		"a link to a pipe": func(path string) error {
			return errors.Join(unix.Mkfifo(path+".pipe", 0o644), os.Symlink(path+".pipe", path))
		},
	} {
		for _, file := range []string{bundle.LayoutFile, bundle.IndexFile, blob, bundle.BlobName(s.index.Entries[0].Digest)} {
			path := s.directory(t)
			if err := errors.Join(os.Remove(filepath.Join(path, file)), put(filepath.Join(path, file))); err != nil {
				t.Skip(err)
			}
			l, err := OpenLayout(path, OpenOptions{})
			if file == bundle.LayoutFile || file == bundle.IndexFile {
				var input *InputError
				if !errors.As(err, &input) || !strings.Contains(input.Reason, file+" is not a regular file") {
					t.Errorf("%s as %s: %v", name, file, err)
				}
				if d, err := OpenDir(path); err == nil {
					t.Errorf("%s as %s: it can be written to", name, file)
					closeAll(t, d)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			v, err := Verify(t.Context(), l, verify.Options{})
			if err != nil || len(v.Faults) == 0 {
				t.Errorf("%s as %s: %+v, %v", name, file, v, err)
			}
		}
	}
}
