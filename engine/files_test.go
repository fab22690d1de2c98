package engine_test

import (
	"errors"
	"io/fs"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// shortOf is a layout in a process that can open only so many files.
type shortOf struct {
	store.Layout
	left *atomic.Int64
}

func (s shortOf) Open(d digest.Digest) (store.Blob, error) {
	if s.left.Add(-1) < 0 {
		return nil, &fs.PathError{Op: "open", Path: "blob", Err: syscall.EMFILE}
	}
	return s.Layout.Open(d)
}

// TestTooManyOpenFilesAreNoCorruptInput, whichever file is one too many.
func TestTooManyOpenFilesAreNoCorruptInput(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	image := source.Image("app", "", []byte("image"))
	source.Index("app", "v1", image)
	source.Referrer("app", image, "application/vnd.example", []byte("signature"))
	path := t.TempDir() + "/layout/"
	backUp(t, path, selections(t, source.Host+"/app:v1"))
	for left := int64(0); ; left++ {
		in := shortOf{reopen(t, path), new(atomic.Int64)}
		in.left.Store(left)
		target := testregistry.New(t, testregistry.Options{})
		report, err := tryRestore(t, in, target.Host, engine.RestoreOptions{Concurrency: 1})
		if err == nil && len(report.Failures()) == 0 {
			if left < 3 {
				t.Errorf("%d files are enough", left)
			}
			return
		}
		for _, f := range report.Failures() {
			var corrupt *engine.CorruptError
			if !disk.IsTooManyFiles(f.Err) || errors.As(f.Err, &corrupt) || !strings.Contains(f.Err.Error(), "too many open files") {
				t.Errorf("file %d: %v", left+1, f.Err)
			}
		}
	}
}
