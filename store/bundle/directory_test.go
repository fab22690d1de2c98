package bundle

import (
	"encoding/binary"
	"runtime"
	"testing"
)

func TestDirectory(t *testing.T) {
	d := newDirectory(0)
	for i, name := range []string{LayoutFile, IndexFile, "a", "b", "a", IndexFile, ""} {
		if err := d.add(appendKey(nil, name), int64(i), -1); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int64{LayoutFile: 0, IndexFile: 5, "a": 4, "b": 3, "": 6} {
		if p, ok := d.find(name); !ok || p.offset != want {
			t.Errorf("%q is at %d, want %d", name, p.offset, want)
		}
	}
	if _, ok := d.find("c"); ok {
		t.Error("finds what is not there")
	}
}

// TestDirectoryCollision: names of one hash are told apart.
func TestDirectoryCollision(t *testing.T) {
	d := newDirectory(0)
	for i, name := range []string{"a", "b"} {
		if err := d.add(appendKey(nil, name), int64(i), -1); err != nil {
			t.Fatal(err)
		}
	}
	d.places[1].older = 0
	for hash := range d.newest {
		d.newest[hash] = 1
	}
	for i, name := range []string{"a", "b"} {
		if p, ok := d.find(name); !ok || p.offset != int64(i) {
			t.Errorf("%s is at %d", name, p.offset)
		}
	}
}

// TestDirectoryMemory holds the memory of an entry to what maxEntries relies on.
func TestDirectoryMemory(t *testing.T) {
	const entries = 100_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	d := newDirectory(entries)
	key := append([]byte{kindSHA256}, make([]byte, 32)...)
	for i := range entries {
		binary.LittleEndian.PutUint64(key[1:], uint64(i))
		if err := d.add(key, int64(i), -1); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if used := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / entries; used > 150 {
		t.Errorf("an entry takes %d bytes", used)
	}
	runtime.KeepAlive(d)
}
