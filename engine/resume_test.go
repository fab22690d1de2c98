package engine_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// TestResumedArchive interrupts a backup in its tenth blob and runs it again: no
// blob that was whole is fetched again, the one that was begun goes on by Range,
// and the bundle is byte for byte that of a run that was not interrupted.
func TestResumedArchive(t *testing.T) {
	for _, name := range []string{"bundle.tgz", "bundle.tar"} {
		t.Run(name, func(t *testing.T) {
			r := testregistry.New(t, testregistry.Options{})
			var layers [][]byte
			for _, seed := range []string{"a", "b", "c", "d"} {
				layers = append(layers, testregistry.Random(seed, 5<<20))
			}
			r.Image("app", "v1", layers...)
			sources := selections(t, r.Host+"/app")
			dir := t.TempDir()
			backUp(t, filepath.Join(dir, "whole-"+name), sources)
			want, err := os.ReadFile(filepath.Join(dir, "whole-"+name))
			if err != nil {
				t.Fatal(err)
			}

			path := filepath.Join(dir, name)
			interrupt(t, r, path)
			if _, err := os.Stat(path + ".partial"); err != nil {
				t.Fatal(err)
			}
			r.ResetCounts()
			o := engine.BackupOptions{Concurrency: 1, Buffer: 4 << 20}
			report, err := tryBackup(t, path, sources, o)
			whole(t, report, err)
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Error("the bundle is another one")
			}
			if report.Moved > int64(3*5<<20)+1<<20 {
				t.Errorf("%d bytes were fetched again", report.Moved)
			}
			if name == "bundle.tgz" && report.Moved > int64(3*5<<20)-1<<20 { // memory holds three windows: the first two were written
				t.Errorf("%d bytes were fetched: the blob that was begun did not go on where it stopped", report.Moved)
			}
		})
	}
}

// interrupt ends a backup in the middle of the third layer.
func interrupt(t *testing.T, r *testregistry.Registry, path string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	fifths := 0
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if strings.HasPrefix(req.Header.Get("Range"), "bytes=4194304-") {
			if fifths++; fifths == 3 {
				cancel()
			}
		}
		return nil
	})
	defer r.Fault(nil)
	out, err := store.Create(path, store.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o := engine.BackupOptions{Concurrency: 1, Buffer: 4 << 20} // windows of 1 MiB, one after the other
	if _, err := backup.Run(ctx, client(1), selections(t, r.Host+"/app"), out, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("ended with %v", err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}
