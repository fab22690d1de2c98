package store

import (
	"bytes"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// hostilePart writes a part by hand.
func hostilePart(t testing.TB, path string, part []byte, s *sample, entries map[string][]byte) {
	t.Helper()
	var out bytes.Buffer
	w := bundle.NewWriter(&out, bundle.Gzip)
	put := func(name string, data []byte) {
		if err := w.Put(name, data); err != nil {
			t.Fatal(err)
		}
	}
	put(bundle.LayoutFile, []byte(layoutFile))
	for _, m := range s.manifests {
		put(bundle.BlobName(m.desc.Digest), m.data)
	}
	var index bytes.Buffer
	if _, err := s.index.WriteTo(&index); err != nil {
		t.Fatal(err)
	}
	put(bundle.IndexFile, index.Bytes())
	put(bundle.PartFile, part)
	for name, data := range entries {
		put(name, data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	writeFile(t, path, out.Bytes())
}

// hostileSet is a bundle in two parts with one blob, in two pieces.
func hostileSet(s *sample, number int, cut int64) []byte {
	b := s.blobs[len(s.blobs)-1].desc
	p := parts.File{MediaType: parts.MediaType, Set: s.manifests[0].desc.Digest, Part: number, Parts: 2}
	p.Cut = []parts.CutBlob{{Digest: b.Digest, Size: cut}}
	return p.Bytes()
}

// TestHostileParts reads parts that overlap, leave gaps, and contradict each other. Each is
// named, and no wrong byte is taken for right.
func TestHostileParts(t *testing.T) {
	s := newSample(t)
	s.blob("", layer(5, 3000))
	b := s.blobs[len(s.blobs)-1]
	n := b.desc.Size
	pieces := func(all ...[2]int64) map[string][]byte {
		m := make(map[string][]byte)
		for _, p := range all {
			m[bundle.PieceName(b.desc.Digest, p[0])] = bytes.Repeat([]byte{1}, int(p[1]))
		}
		return m
	}
	one, two := pieces([2]int64{0, 1000}), pieces([2]int64{1000, 2000})
	other := *s
	other.index = new(oci.Index)
	other.index.Put(s.index.Entries[0])
	for name, tt := range map[string]struct {
		first, second   map[string][]byte
		cut             int64 // what the second part says
		index           *sample
		faults, missing bool
	}{
		"whole but wrong": {one, two, n, s, false, false},
		"overlap":         {one, pieces([2]int64{500, 500}, [2]int64{1000, 2000}), n, s, true, false},
		"a gap":           {one, pieces([2]int64{1001, 1999}), n, s, false, true},
		"too long":        {one, pieces([2]int64{1000, 5000}), n, s, false, true},
		"other size":      {one, two, n + 5, s, true, false},
		"negative size":   {one, two, -5, s, true, true},
		"huge":            {one, two, oci.MaxSize + 1, s, true, true},
		"empty pieces":    {pieces([2]int64{0, 0}), pieces([2]int64{0, 3000}), n, s, false, false},
		"other index":     {one, two, n, &other, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			paths := []string{filepath.Join(folder, "x.001.tgz"), filepath.Join(folder, "x.002.tgz")}
			hostilePart(t, paths[0], hostileSet(s, 1, n), s, tt.first)
			hostilePart(t, paths[1], hostileSet(s, 2, tt.cut), tt.index, tt.second)
			l := openAsOne(t, paths)
			if faults := Faults(l); len(faults) > 0 != tt.faults || tt.faults && !strings.Contains(errors.Join(faults...).Error(), paths[1]) {
				t.Errorf("faults: %v", faults)
			}
			_, err := l.Stat(b.desc.Digest)
			if errors.Is(err, fs.ErrNotExist) != tt.missing {
				t.Errorf("the blob: %v", err)
			}
			if isWhole(l, b.desc.Digest) {
				t.Error("wrong bytes are right")
			}
		})
	}
}

// TestForeignPartFile ignores a part.json of another tool, and rejects one of ours that is
// invalid.
func TestForeignPartFile(t *testing.T) {
	s := newSample(t)
	for text, valid := range map[string]bool{
		"":                                    true,
		"null":                                true,
		`{"mediaType":"text/plain","part":7}`: true,
		`{"mediaType":"` + parts.MediaType + `"}`:                                      false,
		`{"mediaType":"` + parts.MediaType + `","part":"x"}`:                           false,
		string(hostileSet(s, 3, 1)):                                                    false,
		string(hostileSet(s, 0, 1)):                                                    false,
		string(hostileSet(s, 1, 1)) + strings.Repeat(" ", 2<<10):                       false,
		strings.Replace(string(hostileSet(s, 1, 1)), `"parts":2`, `"parts":1000`, 1):   false,
		strings.Replace(string(hostileSet(s, 1, 1)), `"set":"sha256:`, `"set":"x:`, 1): false,
	} {
		path := filepath.Join(t.TempDir(), "x.001.tgz")
		hostilePart(t, path, []byte(text), s, nil)
		l, err := OpenLayout(path, OpenOptions{})
		if (err == nil) != valid {
			t.Errorf("%.80q: %v", text, err)
		}
		if err == nil {
			l.Close()
		}
	}
}
