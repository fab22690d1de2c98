//go:build unix && !aix && !solaris

package store

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A named pipe is written as a stream and read as one, whatever its name.
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
