package store

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

var errStop = errors.New("stopped")

// TestPartsAreBundles writes parts of many sizes. Each is a bundle, within the size, and begins
// like the others. Together they have every byte.
func TestPartsAreBundles(t *testing.T) {
	s := partSample(t)
	for name := range compressions {
		for _, size := range []int64{64 << 10, 150_000, 600_000, 1<<20 + 513, 64 << 20} {
			folder := t.TempDir()
			p := newParts(t, filepath.Join(folder, name), size)
			if _, err := s.writeParts(t, p, 0); err != nil {
				t.Fatalf("%s in parts of %d: %v", name, size, err)
			}
			if got, want := commitParts(t, p, false), parts.Pattern(filepath.Join(folder, name)); got != want {
				t.Errorf("committed %s, want %s", got, want)
			}
			files := names(t, folder)
			content := make(map[string][]byte)
			for i, file := range files {
				if want := parts.Path(name, i+1); file != want {
					t.Fatalf("found %s, want %s", file, want)
				}
				data := readFile(t, filepath.Join(folder, file))
				if int64(len(data)) > size {
					t.Errorf("%s of %d has %d bytes, more than %d", file, len(files), len(data), size)
				}
				readEntries(t, data, content)
				l := openLayoutAt(t, filepath.Join(folder, file), OpenOptions{})
				if len(l.Index().Entries) != len(s.index.Entries) {
					t.Errorf("%s lists %d entries", file, len(l.Index().Entries))
				}
				for _, m := range s.manifests {
					if got, err := ReadManifest(l, m.desc); err != nil || !bytes.Equal(got, m.data) {
						t.Errorf("%s: %v", file, err)
					}
				}
			}
			for _, b := range s.blobs {
				if got := joinPieces(content, b.desc); !bytes.Equal(got, b.data) {
					t.Errorf("%s in %d parts of %d: a blob of %d bytes has %d", name, len(files), size, len(b.data), len(got))
				}
			}
		}
	}
}

// readEntries adds the entries of an archive to a map. One that is there with other content is
// an error, but for part.json.
func readEntries(t *testing.T, archive []byte, all map[string][]byte) {
	t.Helper()
	in, err := bundle.NewStream(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	for {
		name, _, err := in.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := all[name]; ok && name != bundle.PartFile && !bytes.Equal(before, data) {
			t.Errorf("two parts have different files %s", name)
		}
		all[name] = data
	}
}

// joinPieces returns a blob as `cat` makes it of files in the order of their names.
func joinPieces(all map[string][]byte, desc ocispec.Descriptor) []byte {
	if data, ok := all[bundle.BlobName(desc.Digest)]; ok {
		return data
	}
	var pieces []string
	for name := range all {
		if d, _, ok := bundle.ParsePieceName(name); ok && d == desc.Digest {
			pieces = append(pieces, name)
		}
	}
	slices.Sort(pieces)
	var data []byte
	for _, name := range pieces {
		data = append(data, all[name]...)
	}
	return data
}

// TestPartsAreTheSameAgain writes the same twice, and once after a run that was stopped at any
// byte: the parts are the same, byte for byte.
func TestPartsAreTheSameAgain(t *testing.T) {
	s := partSample(t)
	var total int64
	for _, b := range s.blobs {
		total += b.desc.Size
	}
	for name := range compressions {
		folder := t.TempDir()
		p := newParts(t, filepath.Join(folder, name), 600_000)
		if _, err := s.writeParts(t, p, 0); err != nil {
			t.Fatal(err)
		}
		commitParts(t, p, false)
		want := folderOf(t, folder)
		if len(want) < 5 {
			t.Fatalf("only %d parts", len(want))
		}
		for stop := int64(1); stop < total; stop += total/7 + 1 {
			folder := t.TempDir()
			p := newParts(t, filepath.Join(folder, name), 600_000)
			if _, err := s.writeParts(t, p, stop); err == nil {
				break // what compresses is less
			} else if !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			kill(t, p)
			again := newParts(t, filepath.Join(folder, name), 600_000)
			fresh, err := s.writeParts(t, again, 0)
			if err != nil {
				t.Fatalf("%s stopped at %d: %v", name, stop, err)
			}
			commitParts(t, again, false)
			if got := folderOf(t, folder); !equalFolders(t, got, want) {
				t.Fatalf("%s stopped at %d: other parts", name, stop)
			}
			// A plain tar loses the entry that was cut, a member archive at most a member.
			if lost := fresh - (total - stop); lost > 1<<20+256<<10 {
				t.Errorf("%s stopped at %d: fetched %d bytes again", name, stop, lost)
			}
		}
	}
}

// TestPartsTakeBlobsBack rolls back a blob of three parts, at its beginning, in its middle and
// at its end, after a run that was stopped, too.
func TestPartsTakeBlobsBack(t *testing.T) {
	s := partSample(t)
	cut := slices.IndexFunc(s.blobs, func(b item) bool { return b.desc.Size > 2<<20 })
	for name := range compressions {
		folder := t.TempDir()
		p := newParts(t, filepath.Join(folder, name), 600_000)
		if _, err := s.writeParts(t, p, 0); err != nil {
			t.Fatal(err)
		}
		commitParts(t, p, false)
		want := folderOf(t, folder)
		for _, written := range []int64{0, 1, 700_000, 2_000_000} {
			folder := t.TempDir()
			p := newParts(t, filepath.Join(folder, name), 600_000)
			before := *s
			before.blobs = s.blobs[:cut]
			if _, err := before.announce(t, p, s.blobs); err != nil {
				t.Fatal(err)
			}
			b := s.blobs[cut]
			if err := p.Begin(b.desc); err != nil {
				t.Fatal(err)
			}
			run := &partsRun{p, written}
			e := p.Encoder(b.desc, func(data []byte) error { _, err := run.Write(data); return err })
			if written > 0 {
				if _, err := e.Write(b.data); !errors.Is(err, errStop) {
					t.Fatal(err)
				}
			}
			if err := p.Rollback(); err != nil {
				t.Fatal(err)
			}
			run.rest = 0
			over := false
			for _, b := range s.blobs[cut:] {
				if _, err := run.put(b, &over); err != nil {
					t.Fatal(err)
				}
			}
			commitParts(t, p, false)
			if !equalFolders(t, folderOf(t, folder), want) {
				t.Fatalf("%s after %d bytes: other parts", name, written)
			}
		}
	}
}
