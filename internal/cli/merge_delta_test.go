package cli

import (
	"bytes"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestDeltaAndItsBaseAreTheFullBackup merges, and restores together, what backup --base wrote.
func TestDeltaAndItsBaseAreTheFullBackup(t *testing.T) {
	dir := t.TempDir()
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", testregistry.Random("shared", 3000), []byte("one"))
	r.Image("app", "v2", testregistry.Random("shared", 3000))
	pull(t, "backup", "-o", dir+"/base.tgz", r.Host+"/app")
	r.Image("app", "v2", testregistry.Random("shared", 3000), []byte("new"))
	pull(t, "backup", "--base", dir+"/base.tgz", "-o", dir+"/delta.tgz", r.Host+"/app")
	pull(t, "backup", "-o", dir+"/full.tgz", r.Host+"/app")
	pull(t, "merge", "-o", dir+"/merged.tgz", dir+"/base.tgz", dir+"/delta.tgz")
	if !bytes.Equal(contentOf(t, dir+"/merged.tgz"), contentOf(t, dir+"/full.tgz")) {
		t.Error("the merged bundle is not the full one")
	}
	both := testregistry.New(t, testregistry.Options{})
	pull(t, "restore", "--input", dir+"/base.tgz", "--input", dir+"/delta.tgz", both.Host+"/mirror")
	testregistry.CheckSame(t, r, both, "mirror")
	piped := testregistry.New(t, testregistry.Options{})
	if code, _, errs := try(t, string(contentOf(t, dir+"/delta.tgz")), "restore", "--input", "-", "--input", dir+"/base.tgz", piped.Host+"/mirror"); code != 0 {
		t.Errorf("exit code %d: %s", code, errs)
	}
	testregistry.CheckSame(t, r, piped, "mirror")
}
