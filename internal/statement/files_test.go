package statement

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store"
)

// TestHashFiles hashes the files among the inputs, unless the run is interrupted.
func TestHashFiles(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "bundle.tgz")
	if err := os.WriteFile(path, []byte("bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := HashFiles(t.Context(), []string{folder, path}, store.Buckets{})
	if want := (File{Name: "bundle.tgz", Digest: digest.FromString("bytes"), Size: 5}); err != nil || len(files) != 1 || files[0] != want {
		t.Errorf("got %v, %v", files, err)
	}
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupted)
	if _, err := HashFiles(ctx, []string{path}, store.Buckets{}); !errors.Is(err, interrupted) {
		t.Errorf("got %v", err)
	}
}
