package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/parts"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// partSize gives the artifacts of fillParts five parts or more.
const partSize = 1 << 20

// threeParts is the size of a layer of three parts.
const threeParts = 3<<20 + 500_000

// fillParts puts an image with a layer of three parts between two small ones.
func fillParts(r *testregistry.Registry) {
	r.Image("app", "v1", testregistry.Random("a", 300_000), testregistry.Random("b", 400_000))
	r.Image("app", "v2", testregistry.Random("large", threeParts))
	r.Image("app", "v3", testregistry.Random("c", 400_000), testregistry.Random("b", 400_000), testregistry.Random("d", 100_000))
}

// backUpParts writes parts and returns how the run ended.
func backUpParts(t *testing.T, ctx context.Context, path string, size int64, sources []config.Selection, o engine.BackupOptions) (*engine.Report, error) {
	t.Helper()
	out, err := store.Create(path, store.CreateOptions{PartSize: size})
	if err != nil {
		t.Fatal(err)
	}
	report, err := backup.Run(ctx, client(o.Concurrency), sources, out, o)
	if e := out.Close(); e != nil && err == nil {
		t.Fatal(e)
	}
	return report, err
}

func wholeParts(t *testing.T, path string, size int64, sources []config.Selection) {
	t.Helper()
	report, err := backUpParts(t, t.Context(), path, size, sources, engine.BackupOptions{})
	whole(t, report, err)
}

// partPaths lists the parts of a bundle.
func partPaths(t *testing.T, path string) []string {
	t.Helper()
	paths, err := filepath.Glob(parts.Pattern(path))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no parts of %s: %v", path, err)
	}
	return paths
}

func openParts(t *testing.T, paths []string) store.Layout {
	t.Helper()
	l, err := store.OpenUnion(paths, func(path string) (store.Layout, error) { return store.OpenLayout(path, store.OpenOptions{}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestBackupInParts: a backup in parts sends the requests of one in a file, gives the same
// parts again, and restores to the same content, in any order of the parts.
func TestBackupInParts(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillParts(source)
	sources := selections(t, append(fill(source), source.Host+"/app")...)
	dir := t.TempDir()
	backUp(t, dir+"/one.tgz", sources)
	requests := source.Counts()
	for _, name := range []string{"bundle.tgz", "bundle.tar"} {
		path := filepath.Join(dir, name)
		source.ResetCounts()
		wholeParts(t, path, partSize, sources)
		testregistry.CheckCounts(t, source, requests)
		paths := partPaths(t, path)
		wholeParts(t, filepath.Join(dir, "again-"+name), partSize, sources)
		again := partPaths(t, filepath.Join(dir, "again-"+name))
		if len(paths) < 5 || len(again) != len(paths) {
			t.Fatalf("%d parts, and then %d", len(paths), len(again))
		}
		for i := range paths {
			if !bytes.Equal(read(t, paths[i]), read(t, again[i])) {
				t.Errorf("%s is another one", paths[i])
			}
		}
		slices.Reverse(paths)
		target := testregistry.New(t, testregistry.Options{})
		report, err := tryRestore(t, openParts(t, paths), target.Host+"/mirror", engine.RestoreOptions{})
		whole(t, report, err)
		testregistry.CheckSame(t, source, target, "mirror")
	}
}

// TestResumedParts interrupts a backup in the fourth of its parts and runs it again: what was
// there is not fetched again, the blob that was begun goes on by Range, and the parts are those
// of a run that was not interrupted.
func TestResumedParts(t *testing.T) {
	const (
		halfPart = partSize / 2
		layer    = 5 << 20
		kept     = 600_000 // at least: memory holds three windows of the layer, so two pieces of it were written
	)
	for _, name := range []string{"bundle.tgz", "bundle.tar"} {
		t.Run(name, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			fillParts(r)
			r.Image("app", "v2", testregistry.Random("larger", layer))
			sources := selections(t, r.Host+"/app")
			dir := t.TempDir()
			wholeParts(t, filepath.Join(dir, "whole-"+name), halfPart, sources)
			path := filepath.Join(dir, name)
			ctx, cancel := context.WithCancel(t.Context())
			r.Fault(func(req *http.Request, _ int) testregistry.Fault {
				if strings.HasPrefix(req.Header.Get("Range"), "bytes=4194304-") {
					cancel()
				}
				return nil
			})
			o := engine.BackupOptions{Concurrency: 1, Buffer: 4 << 20} // windows of 1 MiB, one after the other
			if _, err := backUpParts(t, ctx, path, halfPart, sources, o); !errors.Is(err, context.Canceled) {
				t.Fatalf("ended with %v", err)
			}
			r.Fault(nil)
			if _, err := os.Stat(parts.Path(path, 3) + ".partial"); err != nil {
				t.Fatal(err)
			}
			report, err := backUpParts(t, t.Context(), path, halfPart, sources, o)
			whole(t, report, err)
			want := partPaths(t, filepath.Join(dir, "whole-"+name))
			got := partPaths(t, path)
			if len(got) != len(want) {
				t.Fatalf("%d parts, want %d", len(got), len(want))
			}
			for i := range want {
				if !bytes.Equal(read(t, got[i]), read(t, want[i])) {
					t.Errorf("%s is another one", got[i])
				}
			}
			most := int64(layer + 510_000)
			if name == "bundle.tgz" { // a plain tar has no checksums to resume a piece of a blob by
				most -= kept
			}
			if report.Moved > most {
				t.Errorf("%d bytes were fetched again", report.Moved)
			}
		})
	}
}

// TestBlobOfPartsFails takes the layer of three parts away: the other artifacts are in the
// parts, which all list the same, and stand beside the parts of an earlier run. With the layer
// the next run replaces those, and fetches nothing else.
func TestBlobOfPartsFails(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillParts(r)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	wholeParts(t, path, 500_000, selections(t, r.Host+"/app:v1"))
	before := read(t, parts.Path(path, 1))
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) == "GET blob" && strings.HasPrefix(req.Header.Get("Range"), "bytes=2097152-") {
			return testregistry.Status(404, "")
		}
		return nil
	})
	report, err := backUpParts(t, t.Context(), path, partSize, selections(t, r.Host+"/app"), engine.BackupOptions{Concurrency: 1, Buffer: 4 << 20})
	if err != nil || !slices.Equal(failed(report), []string{"app:v2"}) {
		t.Fatalf("failed: %v, %v", failed(report), err)
	}
	if report.Output != parts.Pattern(path)+".incomplete" || !bytes.Equal(read(t, parts.Path(path, 1)), before) {
		t.Errorf("an incomplete bundle replaced a whole one: %s", report.Output)
	}
	incomplete, err := filepath.Glob(report.Output)
	if err != nil || len(incomplete) < 5 {
		t.Fatal(incomplete, err)
	}
	l := openParts(t, incomplete)
	if faults := store.Faults(l); len(faults) > 0 || len(l.Index().Entries) != 2 {
		t.Errorf("%v, %d artifacts", faults, len(l.Index().Entries))
	}
	v, err := store.Verify(t.Context(), l, verify.Options{})
	if err != nil || len(v.Faults) > 0 {
		t.Errorf("%+v, %v", v, err)
	}
	r.Fault(nil)
	report, err = backUpParts(t, t.Context(), path, partSize, selections(t, r.Host+"/app"), engine.BackupOptions{Previous: l})
	whole(t, report, err)
	if report.Moved > threeParts+100_000 {
		t.Errorf("fetched %d bytes", report.Moved)
	}
}

// TestSizeOfPartsThatIsFalse: a manifest that claims a blob of petabytes fails alone.
func TestSizeOfPartsThatIsFalse(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillParts(r)
	config := r.Blob("app", ocispec.MediaTypeImageConfig, []byte("{}"))
	layer := r.Blob("app", ocispec.MediaTypeImageLayer, []byte("small"))
	layer.Size = 1 << 50
	r.Manifest("app", "false", ocispec.MediaTypeImageManifest, map[string]any{"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageManifest,
		"config": config, "layers": []ocispec.Descriptor{layer}})
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	report, err := backUpParts(t, t.Context(), path, partSize, selections(t, r.Host+"/app"), engine.BackupOptions{})
	if err != nil || !slices.Equal(failed(report), []string{"app:false"}) {
		t.Fatalf("failed: %v, %v", failed(report), err)
	}
	v, err := store.Verify(t.Context(), openParts(t, partPaths(t, path)), verify.Options{})
	if err != nil || len(v.Faults) > 0 || v.Artifacts != 3 {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestPartsTooSmallForTheManifests: the run ends before it asks for a blob, and says which size
// is enough.
func TestPartsTooSmallForTheManifests(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillMany(r, "many", 50)
	dir := t.TempDir()
	_, err := backUpParts(t, t.Context(), filepath.Join(dir, "bundle.tgz"), 10_000, selections(t, r.Host+"/many"), engine.BackupOptions{})
	small, ok := errors.AsType[*parts.SizeError](err)
	if !ok || r.Counts()["GET blob"] > 0 {
		t.Fatalf("%v after %v", err, r.Counts())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	wholeParts(t, filepath.Join(dir, "bundle.tgz"), small.Least, selections(t, r.Host+"/many"))
}

// TestRestoreWithoutAPart leaves out each part, and damages each: the artifacts with blobs in
// it are named, the others arrive.
func TestRestoreWithoutAPart(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillParts(source)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	wholeParts(t, path, partSize, selections(t, source.Host+"/app"))
	all := partPaths(t, path)
	lost := make(map[string]bool)
	for i := range all {
		rest := slices.Delete(slices.Clone(all), i, i+1)
		target := testregistry.New(t, testregistry.Options{})
		report, err := tryRestore(t, openParts(t, rest), target.Host, engine.RestoreOptions{})
		if err != nil && !errors.Is(err, engine.ErrNothing) || len(report.Failures()) == 0 {
			t.Fatalf("without part %d: %v, %v", i+1, failed(report), err)
		}
		for _, f := range report.Failures() {
			lost[strings.TrimPrefix(f.Reference, source.Host)] = true
			if !strings.Contains(f.Err.Error(), fmt.Sprintf("missing: it is in part %d of %d", i+1, len(all))) {
				t.Errorf("without part %d: %v", i+1, f.Err)
			}
		}
		arrived := 3 - len(report.Failures())
		if got := len(target.Tags("app")); got != arrived {
			t.Errorf("without part %d: %d artifacts arrived, want %d", i+1, got, arrived)
		}

		data := read(t, all[i])
		damaged := bytes.Clone(data)
		damaged[len(data)/2] ^= 1
		if err := os.WriteFile(all[i], damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		report, err = tryRestore(t, openParts(t, all), testregistry.New(t, testregistry.Options{}).Host, engine.RestoreOptions{})
		if err != nil && !errors.Is(err, engine.ErrNothing) || len(report.Failures()) == 0 {
			t.Fatalf("with a damaged part %d: %v, %v", i+1, failed(report), err)
		}
		for _, f := range report.Failures() {
			if !strings.Contains(f.Err.Error(), all[i]) {
				t.Errorf("with a damaged part %d: %v", i+1, f.Err)
			}
		}
		if err := os.WriteFile(all[i], data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(lost) != 3 {
		t.Errorf("lost at some time: %v", lost)
	}
}
