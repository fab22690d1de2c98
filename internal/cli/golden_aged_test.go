package cli

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config/lockfile"
)

// TestGoldenAged locks a spec with a minAge at two concurrencies, before and after a tag comes,
// and copies what is locked.
func TestGoldenAged(t *testing.T) {
	w := newGoldenWorld(t)
	spec := filepath.Join(w.dir, "aged.yaml")
	locked := func(concurrency string) []byte {
		w.run("lock", "-f", spec, concurrency)
		return contentOf(t, lockfile.Path(spec))
	}
	first := locked("--concurrency=1")
	w.sources[1].Image("releases", "v1.11.0", []byte("too new"))
	aged := locked("--concurrency=32")
	if again := locked("--concurrency=1"); !bytes.Equal(again, aged) {
		t.Errorf("two locks of a day differ:\n%s\n%s", aged, again)
	}
	if !bytes.HasPrefix(aged, first) || !bytes.Contains(aged, []byte("\npending:\n")) {
		t.Errorf("the tag that came changed what is locked:\n%s\n%s", first, aged)
	}
	if shown := w.run("lock", "-f", spec, "--check"); !strings.Contains(shown, "/releases:v1.11.0 sha256:") {
		t.Errorf("the tag that waits is not shown: %s", shown)
	}
	w.run("backup", "-f", spec, "--locked", "-o", filepath.Join(w.dir, "aged.tgz"))
}
