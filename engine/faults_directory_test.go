package engine_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// TestClockMoved runs a backup in 2040 and the next one in 2001, with files whose
// times are as wrong: no byte and no decision depends on a date. Within a run the
// clock is monotonic, and can only jump ahead (a machine that slept).
func TestClockMoved(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillMany(r, "many", 10)
	for _, out := range outputs {
		t.Run(out, func(t *testing.T) {
			path, sources := t.TempDir()+"/"+out, selections(t, r.Host+"/many")
			run := func(year int) *engine.Report {
				c := newFalseClock()
				c.now = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
				r.Fault(everyNth(7, anyRequest, func(*http.Request) testregistry.Fault {
					c.Sleep(t.Context(), 36*time.Hour) // and it jumps while it runs
					return testregistry.Status(503, "")
				}))
				defer r.Fault(nil)
				report, err := backupWith(t, c.faced(t, 4), path, sources, engine.BackupOptions{Now: c.Now})
				whole(t, report, err)
				return report
			}
			run(2040)
			before := bytesOf(t, path)
			setTimes(t, path, time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC))
			report := run(2001)
			if out == "layout/" && report.Moved != 0 {
				t.Errorf("%d bytes were fetched again", report.Moved)
			}
			if after := bytesOf(t, path); !slices.Equal(before, after) {
				t.Errorf("the output is %v, want %v", after, before)
			}
		})
	}
}

// bytesOf returns the digests of a file, or of all files of a layout.
func bytesOf(t *testing.T, path string) []string {
	t.Helper()
	if !strings.HasSuffix(path, "/") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return []string{digest.FromBytes(data).String()}
	}
	var all []string
	for name, data := range folder(t, path) {
		all = append(all, name+" "+digest.FromBytes(data).String())
	}
	slices.Sort(all)
	return all
}

func setTimes(t *testing.T, path string, when time.Time) {
	t.Helper()
	err := filepath.WalkDir(path, func(file string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(file, when, when)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestDamagedBlobInADirectory: a blob that was cut short since is found by its
// size and fetched again.
func TestDamagedBlobInADirectory(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	layer := testregistry.Random("layer", 5000)
	r.Image("app", "v1", layer)
	path, sources := t.TempDir()+"/layout/", selections(t, r.Host+"/app:v1")
	backUp(t, path, sources)
	if err := os.Truncate(filepath.Join(path, "blobs", "sha256", digest.FromBytes(layer).Encoded()), 4000); err != nil {
		t.Fatal(err)
	}
	r.ResetCounts()
	report, err := backupWith(t, newFalseClock().faced(t, 4), path, sources, tight)
	whole(t, report, err)
	if n := r.Count("GET blob"); n != 1 {
		t.Errorf("%d blobs were fetched, want the one", n)
	}
	entries(t, path)
}

// TestTwoWriters: the second writer of one output is told at once, and disturbs
// nothing.
func TestTwoWriters(t *testing.T) {
	for _, out := range outputs {
		r := testregistry.New(t, testregistry.Options{})
		r.Image("app", "v1", []byte("layer"))
		path := t.TempDir() + "/" + out
		first, err := store.Create(path, store.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var locked *disk.LockedError
		if _, err := store.Create(path, store.CreateOptions{}); !errors.As(err, &locked) {
			t.Errorf("%s: the second writer got %v", out, err)
		}
		report, err := backup.Run(t.Context(), newFalseClock().faced(t, 4), selections(t, r.Host+"/app"), first, tight)
		whole(t, report, err)
		if err := first.Close(); err != nil {
			t.Error(err)
		}
		entries(t, path)
	}
}
