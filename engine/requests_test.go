package engine_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// fillMany puts n images of two blobs of their own and one that all share.
func fillMany(r *testregistry.Registry, repo string, n int) {
	for i := range n {
		own := testregistry.Random(fmt.Sprint(repo, i), 2048)
		r.Image(repo, fmt.Sprintf("v%d", i), own, []byte("shared by all"))
	}
}

func TestRequestsOfBackup(t *testing.T) {
	for _, out := range []string{"layout/", "bundle.tgz"} {
		t.Run(out, func(t *testing.T) {
			source := testregistry.New(t, testregistry.Options{})
			fillMany(source, "many", 200)
			path := t.TempDir() + "/" + out
			backUp(t, path, selections(t, source.Host+"/many"))
			testregistry.CheckCounts(t, source, map[string]int{"GET manifest": 200, "GET blob": 401, "GET tags": 1, "GET referrers": 200})

			source.ResetCounts()
			before := read(t, path)
			backupAgain(t, path, selections(t, source.Host+"/many"))
			testregistry.CheckCounts(t, source, map[string]int{"HEAD manifest": 200, "GET tags": 1, "GET referrers": 200})
			if !bytes.Equal(read(t, path), before) {
				t.Error("with nothing new the output is another one")
			}
		})
	}
}

// backupAgain is a backup to a place where an earlier one stands.
func backupAgain(t *testing.T, path string, sources []config.Selection) {
	t.Helper()
	previous, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer previous.Close()
	report, err := tryBackup(t, path, sources, engine.BackupOptions{Previous: previous})
	whole(t, report, err)
}

// read returns the bytes of an archive, or of the index.json of a directory.
func read(t *testing.T, path string) []byte {
	t.Helper()
	if os.IsPathSeparator(path[len(path)-1]) {
		path = filepath.Join(path, "index.json")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRequestsOfRestore(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillMany(source, "many", 200)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, source.Host+"/many"))
	for _, from := range []string{"file", "pipe"} {
		t.Run(from, func(t *testing.T) {
			target := testregistry.New(t, testregistry.Options{})
			push := restoreTo
			if from == "pipe" {
				push = restorePipe
			}
			push(t, path, target.Host)
			testregistry.CheckCounts(t, target, map[string]int{"HEAD manifest": 1, "GET tags": 1, "HEAD blob": 1, "POST upload": 401, "PUT upload": 401, "PUT manifest": 200})
			target.ResetCounts()
			push(t, path, target.Host)
			testregistry.CheckCounts(t, target, map[string]int{"HEAD manifest": 200})
		})
	}
}

func TestRequestsOfMounts(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	var repos []string
	for i := range 4 {
		repo := fmt.Sprintf("team/app%d", i)
		source.Image(repo, "v1", testregistry.Random("base", 4000), testregistry.Random(repo, 100))
		repos = append(repos, source.Host+"/"+repo)
	}
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, repos...))
	target := testregistry.New(t, testregistry.Options{})
	report := restoreTo(t, path, target.Host+"/mirror")
	if report.Shared < 3*4000 {
		t.Errorf("%d bytes shared, want three times the base", report.Shared)
	}
	testregistry.CheckSame(t, source, target, "mirror")
	got := target.Counts()
	blobs := 1 + 4 + 4 // the base, and a layer and a config of each
	if got["PUT upload"] != blobs || got["mount"] != 3 {
		t.Errorf("%d uploads and %d mounts, want %d and 3", got["PUT upload"], got["mount"], blobs)
	}
}

// TestRequestsOfTagsOfOneIndex: what many tags share is asked for once.
func TestRequestsOfTagsOfOneIndex(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	amd, arm := source.Image("app", "", []byte("amd64")), source.Image("app", "", []byte("arm64"))
	for i := range 100 {
		source.Index("app", fmt.Sprintf("v%d", i), amd, arm)
	}
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, source.Host+"/app"))
	target := testregistry.New(t, testregistry.Options{})
	restoreTo(t, path, target.Host)
	target.ResetCounts()
	restoreTo(t, path, target.Host)
	testregistry.CheckCounts(t, target, map[string]int{"HEAD manifest": 102})
}

// TestBlobsOfARepositoryWithoutManifests: a restore that ended before its first
// manifest left blobs in a repository that the registry does not know. They are not
// sent again.
func TestBlobsOfARepositoryWithoutManifests(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillMany(source, "many", 20)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, source.Host+"/many"))
	target := testregistry.New(t, testregistry.Options{})
	target.Fault(testregistry.Always("PUT manifest", testregistry.Status(403, "")))
	if _, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{}); err == nil {
		t.Fatal("it ends well")
	}
	target.ResetCounts()
	target.Fault(testregistry.Always("GET tags", testregistry.UnknownRepository()))
	restoreTo(t, path, target.Host)
	testregistry.CheckCounts(t, target, map[string]int{"HEAD manifest": 1, "GET tags": 1, "HEAD blob": 42, "PUT manifest": 20})
}
