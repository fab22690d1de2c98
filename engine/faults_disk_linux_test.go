package engine_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/parts"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// smallDisk is a small file system of its own, which takes root and a kernel that
// lets us mount; without those the test is skipped.
type smallDisk struct {
	t    *testing.T
	path string
}

func newDisk(t *testing.T, size string) *smallDisk {
	t.Helper()
	d := &smallDisk{t: t, path: t.TempDir()}
	if err := syscall.Mount("tmpfs", d.path, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(d.path, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return d
}

func (d *smallDisk) readOnly() {
	d.t.Helper()
	if err := syscall.Mount("tmpfs", d.path, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		d.t.Fatal(err)
	}
}

const page = 4096

// fill leaves room for so many pages, which is what a tmpfs counts in.
func (d *smallDisk) fill(pages int) {
	d.t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.path, &s); err != nil {
		d.t.Error(err)
		return
	}
	err := os.WriteFile(d.filler(), make([]byte, max(0, (int(s.Bavail)-pages)*page)), 0o644)
	if err != nil && !errors.Is(err, syscall.ENOSPC) { // others write to it, too
		d.t.Error(err)
	}
}

func (d *smallDisk) filler() string { return d.path + "/filler" }

func (d *smallDisk) empty() {
	d.t.Helper()
	if err := os.Remove(d.filler()); err != nil {
		d.t.Fatal(err)
	}
}

// fillAt fills the disk when the nth blob is asked for.
func (d *smallDisk) fillAt(r *testregistry.Registry, n int) {
	blobs := 0
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) == "GET blob" {
			if blobs++; blobs == n {
				d.fill(1)
			}
		}
		return nil
	})
}

// TestDiskFullInABlob: the run ends and says so, what was whole before is whole,
// and with room the same command completes it.
func TestDiskFullInABlob(t *testing.T) {
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			d, r := newDisk(t, "4m"), testregistry.New(t, testregistry.Options{})
			fillMany(r, "many", 60)
			path, sources := d.path+"/"+out, selections(t, r.Host+"/many")
			old := selections(t, r.Host+"/many:v0")
			backUp(t, path, old)
			before := bytesOf(t, path)
			d.fillAt(r, 40)
			_, err := backupWith(t, newFalseClock().faced(t, 4), path, sources, tight)
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("ended with %v", err)
			}
			if got := entries(t, path); !slices.Equal(got, []string{"many:v0"}) {
				t.Errorf("the output has %v", got)
			}
			if out != "layout/" && !slices.Equal(bytesOf(t, path), before) {
				t.Error("the bundle that was there has changed")
			}
			r.Fault(nil)
			d.empty()
			report, err := backupWith(t, newFalseClock().faced(t, 4), path, sources, tight)
			whole(t, report, err)
			if got := entries(t, path); len(got) != 60 {
				t.Errorf("with room the output has %d artifacts", len(got))
			}
		})
	}
}

// TestDiskFullInTheIndex leaves room for the blobs and none for index.json.
func TestDiskFullInTheIndex(t *testing.T) {
	d, r := newDisk(t, "4m"), testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", testregistry.Random("1", 1000))
	r.Image("app", "v2", testregistry.Random("2", 1000))
	path := d.path + "/layout/"
	backUp(t, path, selections(t, r.Host+"/app:v1"))
	before, err := os.ReadFile(path + "index.json")
	if err != nil {
		t.Fatal(err)
	}
	d.fill(3) // manifest, config, layer
	_, err = backupWith(t, newFalseClock().faced(t, 4), path, selections(t, r.Host+"/app"), tight)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("ended with %v", err)
	}
	if after, err := os.ReadFile(path + "index.json"); err != nil || string(after) != string(before) {
		t.Errorf("index.json has changed: %v", err)
	}
	entries(t, path)
	d.empty()
	r.ResetCounts()
	report, err := backupWith(t, newFalseClock().faced(t, 4), path, selections(t, r.Host+"/app"), tight)
	whole(t, report, err)
	if n := r.Count("GET blob"); n != 0 {
		t.Errorf("%d blobs were fetched again", n)
	}
	if got := entries(t, path); len(got) != 2 {
		t.Errorf("with room the output has %v", got)
	}
}

// TestDiskTooSmall: an archive that cannot fit is not begun.
func TestDiskTooSmall(t *testing.T) {
	d, r := newDisk(t, "1m"), testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", testregistry.Random("layer", 2<<20))
	_, err := backupWith(t, newFalseClock().faced(t, 4), d.path+"/bundle.tgz", selections(t, r.Host+"/app"), tight)
	var space *engine.SpaceError
	if !errors.As(err, &space) || r.Count("GET blob") != 0 {
		t.Errorf("ended with %v after %d blobs", err, r.Count("GET blob"))
	}
}

// TestDiskTooSmallForParts has room for the blobs, and not for the manifests in each part.
func TestDiskTooSmallForParts(t *testing.T) {
	d, r := newDisk(t, "3m"), testregistry.New(t, testregistry.Options{})
	fillMany(r, "many", 300)
	path, sources := d.path+"/bundle.tgz", selections(t, r.Host+"/many")
	backUp(t, path, sources)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	r.ResetCounts()
	_, err := backUpParts(t, t.Context(), path, 350_000, sources, tight)
	var space *engine.SpaceError
	if !errors.As(err, &space) || r.Count("GET blob") != 0 {
		t.Errorf("ended with %v after %d blobs", err, r.Count("GET blob"))
	}
}

// TestDiskFullBetweenParts fills the disk in a blob of three parts. With room the same command
// goes on there.
func TestDiskFullBetweenParts(t *testing.T) {
	d, r := newDisk(t, "8m"), testregistry.New(t, testregistry.Options{})
	fillParts(r)
	path, sources := d.path+"/bundle.tgz", selections(t, r.Host+"/app")
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if strings.HasPrefix(req.Header.Get("Range"), "bytes=2097152-") {
			d.fill(20)
		}
		return nil
	})
	o := engine.BackupOptions{Concurrency: 1, Buffer: 4 << 20}
	if _, err := backUpParts(t, t.Context(), path, partSize, sources, o); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("ended with %v", err)
	}
	if whole, err := filepath.Glob(parts.Pattern(path)); err != nil || len(whole) > 0 {
		t.Errorf("parts have their names: %v, %v", whole, err)
	}
	r.Fault(nil)
	d.empty()
	report, err := backUpParts(t, t.Context(), path, partSize, sources, o)
	whole(t, report, err)
	if report.Moved > threeParts+600_000 { // the blob and those after it
		t.Errorf("%d bytes were fetched again", report.Moved)
	}
	l := openParts(t, partPaths(t, path))
	if v, err := store.Verify(t.Context(), l, verify.Options{}); err != nil || len(v.Faults) > 0 || len(store.Faults(l)) > 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestResumedArchiveOnASmallDisk: what an interrupted run left needs no room a
// second time.
func TestResumedArchiveOnASmallDisk(t *testing.T) {
	d, r := newDisk(t, "12m"), testregistry.New(t, testregistry.Options{})
	for _, tag := range []string{"a", "b", "c", "d"} {
		r.Image("app", tag, testregistry.Random(tag, 2<<20))
	}
	path, sources := d.path+"/bundle.tgz", selections(t, r.Host+"/app")
	ctx, cancel := context.WithCancel(t.Context())
	blobs := 0
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) == "GET blob" {
			if blobs++; blobs == 14 { // four windows and a config an artifact
				cancel()
			}
		}
		return nil
	})
	out, err := store.Create(path, store.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Run(ctx, client(1), sources, out, engine.BackupOptions{Concurrency: 1, Buffer: 2 << 20}); !errors.Is(err, context.Canceled) {
		t.Fatalf("ended with %v", err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path + ".partial")
	if err != nil || info.Size() < 3<<20 {
		t.Fatalf("the interrupted run left %v, %v", info, err)
	}
	r.Fault(nil)
	d.fill(int(8<<20-info.Size())/page + 64) // for the rest, and hardly more
	report, err := backupWith(t, newFalseClock().faced(t, 4), path, sources, tight)
	whole(t, report, err)
	if got := entries(t, path); len(got) != 4 {
		t.Errorf("the output has %v", got)
	}
}

// TestReadOnlyOutput: it is said at once, before a registry is asked.
func TestReadOnlyOutput(t *testing.T) {
	for _, out := range outputs {
		d := newDisk(t, "1m")
		d.readOnly()
		var failed *store.OutputError
		_, err := store.Create(filepath.Join(d.path, "new")+"-"+out, store.CreateOptions{})
		if !errors.As(err, &failed) || !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v", out, err)
		}
	}
}
