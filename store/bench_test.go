package store

import (
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// largeDirectory returns a layout directory that lists 100,000 artifacts, without their
// blobs.
func largeDirectory(b *testing.B) string {
	b.Helper()
	path := b.TempDir()
	writeFile(b, filepath.Join(path, bundle.LayoutFile), []byte(layoutFile))
	writeFile(b, filepath.Join(path, bundle.IndexFile), []byte(manyEntries(b, 100_000)))
	return path
}

// BenchmarkOpen100000 opens a layout of 100,000 artifacts and reports the memory that it
// keeps.
func BenchmarkOpen100000(b *testing.B) {
	path := largeDirectory(b)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var l Layout
	for b.Loop() {
		var err error
		if l, err = OpenLayout(path, OpenOptions{}); err != nil {
			b.Fatal(err)
		}
		closeAll(b, l)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB-kept")
	runtime.KeepAlive(l)
}

// BenchmarkOneMoreIn100000 opens such a layout for writing, adds one artifact and
// commits.
func BenchmarkOneMoreIn100000(b *testing.B) {
	path := largeDirectory(b)
	n := 0
	for b.Loop() {
		n++
		d, err := OpenDir(path)
		if err != nil {
			b.Fatal(err)
		}
		d.Index().Put(entry(fmt.Sprint("example.com/new:v", n), fmt.Sprint("new ", n)))
		commit(b, d)
		closeAll(b, d)
	}
}
