package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// partsOf writes a sample in parts and returns their paths.
func (s *sample) partsOf(t *testing.T, name string, size int64) []string {
	t.Helper()
	folder := t.TempDir()
	p := newParts(t, filepath.Join(folder, name), size)
	if _, err := s.writeParts(t, p, 0); err != nil {
		t.Fatal(err)
	}
	commitParts(t, p, false)
	var paths []string
	for _, name := range names(t, folder) {
		paths = append(paths, filepath.Join(folder, name))
	}
	return paths
}

func openAsOne(t *testing.T, paths []string) Layout {
	t.Helper()
	l, err := OpenUnion(paths, func(path string) (Layout, error) { return OpenLayout(path, OpenOptions{}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestPartsAreOneLayout reads parts in any order as one layout, in every way.
func TestPartsAreOneLayout(t *testing.T) {
	s := partSample(t)
	for name := range compressions {
		for _, size := range []int64{600_000, 64 << 20} {
			paths := s.partsOf(t, name, size)
			slices.Reverse(paths)
			l := openAsOne(t, paths)
			if faults := Faults(l); len(faults) > 0 {
				t.Fatalf("%s: %v", name, faults)
			}
			v, err := Verify(t.Context(), l, verify.Options{})
			if err != nil || len(v.Faults) > 0 {
				t.Errorf("%s: %+v, %v", name, v, err)
			}
			for _, b := range s.blobs {
				if got := readBlob(t, l, b.desc); !bytes.Equal(got, b.data) {
					t.Errorf("%s: %d bytes of a blob of %d", name, len(got), len(b.data))
				}
				checkRanges(t, l, b)
			}
		}
	}
}

// checkRanges reads parts of a blob at random and from front to end.
func checkRanges(t *testing.T, l Layout, b item) {
	t.Helper()
	n := b.desc.Size
	for _, r := range [][2]int64{{0, n}, {0, n / 2}, {n / 2, n - n/2}, {n / 3, n / 3}, {n, 0}} {
		want := b.data[r[0] : r[0]+r[1]]
		random, err := OpenRandom(l, b.desc.Digest)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := random.WriteRange(&out, r[0], r[1]); err != nil || !bytes.Equal(out.Bytes(), want) || random.Size() != n {
			t.Errorf("%d bytes of %d from %d: got %d, %v", r[1], n, r[0], out.Len(), err)
		}
		if _, err := random.Stamp(); err != nil {
			t.Error(err)
		}
		random.Close()
		part, err := l.(PartOpener).OpenPart(b.desc.Digest, r[0], r[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(part)
		if err != nil || !bytes.Equal(got, want) || part.Size() != n {
			t.Errorf("%d bytes of %d from %d: got %d, %v", r[1], n, r[0], len(got), err)
		}
		part.Close()
	}
}

// faultsOf opens parts, and returns what is wrong with them and the blobs that are missing.
func (s *sample) faultsOf(t *testing.T, paths []string) (faults []error, missing int) {
	t.Helper()
	l := openAsOne(t, paths)
	for _, m := range s.manifests {
		if _, err := ReadManifest(l, m.desc); err != nil {
			t.Error(err)
		}
	}
	for _, b := range s.blobs {
		_, err := l.Stat(b.desc.Digest)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
		if err == nil {
			if got := readBlob(t, l, b.desc); !bytes.Equal(got, b.data) {
				t.Errorf("a blob of %d bytes is wrong", b.desc.Size)
			}
			continue
		}
		missing++
		if lacks, ok := errors.AsType[*LackingPartsError](err); !ok || len(lacks.Numbers) == 0 {
			t.Errorf("%v", err)
		}
	}
	return Faults(l), missing
}

func TestMissingPart(t *testing.T) {
	s := partSample(t)
	all := s.partsOf(t, "x.tgz", 600_000)
	for i, path := range all {
		faults, missing := s.faultsOf(t, slices.Delete(slices.Clone(all), i, i+1))
		if len(faults) != 1 || missing == 0 {
			t.Fatalf("without %s: %v, %d blobs are missing", path, faults, missing)
		}
		lost, ok := errors.AsType[*MissingPartError](faults[0])
		if !ok || lost.Path != path || lost.Part != i+1 || lost.Parts != len(all) {
			t.Errorf("without %s: %v", path, faults)
		}
	}
	if faults, _ := s.faultsOf(t, all[1:2]); len(faults) != len(all)-1 {
		t.Errorf("one part alone: %v", faults)
	}
	gone := filepath.Join(filepath.Dir(all[0]), "x.999.tgz")
	if faults, missing := s.faultsOf(t, append(slices.Clone(all), gone)); len(faults) != 1 || !errors.Is(faults[0], fs.ErrNotExist) || missing > 0 {
		t.Errorf("with a path that is not there: %v", faults)
	}
}

// TestUnreadablePart cuts a part, empties it, and puts something else in its place. The fault
// names it, and the others are read.
func TestUnreadablePart(t *testing.T) {
	s := partSample(t)
	all := s.partsOf(t, "x.tgz", 600_000)
	data := readFile(t, all[2])
	for _, damaged := range [][]byte{nil, data[:len(data)-60], data[:len(data)/2], []byte("something else"), bytes.Repeat([]byte{0}, 5000)} {
		writeFile(t, all[2], damaged)
		faults, missing := s.faultsOf(t, all)
		if len(faults) != 1 || missing == 0 || !strings.HasPrefix(faults[0].Error(), all[2]+": part 3 of ") {
			t.Errorf("%d bytes: %v, %d blobs are missing", len(damaged), faults, missing)
		}
	}
	os.Remove(all[2])
	if err := os.Mkdir(all[2], 0o755); err != nil {
		t.Fatal(err)
	}
	if faults, _ := s.faultsOf(t, all); len(faults) != 1 {
		t.Errorf("a directory: %v", faults)
	}
}

// TestDamagedPart flips a byte in each part. Reading names the part.
func TestDamagedPart(t *testing.T) {
	s := partSample(t)
	all := s.partsOf(t, "x.tgz", 600_000)
	for _, path := range all {
		data := readFile(t, path)
		at := len(data) * 3 / 4
		data[at] ^= 1
		writeFile(t, path, data)
		v, err := Verify(t.Context(), openAsOne(t, all), verify.Options{})
		if err != nil || len(v.Faults) == 0 {
			t.Fatalf("%s: %+v, %v", path, v, err)
		}
		for _, f := range v.Faults {
			if !strings.Contains(f.Err.Error(), path) {
				t.Errorf("%s: %v", path, f.Err)
			}
		}
		data[at] ^= 1
		writeFile(t, path, data)
	}
}

// TestForeignPart puts parts of another bundle in place of and beside those of one.
func TestForeignPart(t *testing.T) {
	s, other := partSample(t), partSample(t)
	other.blob("", layer(99, 1<<20))
	all, others := s.partsOf(t, "x.tgz", 600_000), other.partsOf(t, "x.tgz", 600_000)
	left := filepath.Join(filepath.Dir(all[0]), filepath.Base(others[len(others)-1]))
	writeFile(t, left, readFile(t, others[len(others)-1]))
	faults, missing := s.faultsOf(t, append([]string{left}, all...))
	if len(faults) != 1 || missing > 0 || !isForeign(faults[0], left) {
		t.Errorf("beside: %v, %d blobs are missing", faults, missing)
	}
	writeFile(t, all[1], readFile(t, others[1]))
	faults, missing = s.faultsOf(t, all)
	if len(faults) != 2 || missing == 0 || !isForeign(faults[0], all[1]) {
		t.Errorf("in place: %v, %d blobs are missing", faults, missing)
	}
	both := openAsOne(t, slices.Concat(s.partsOf(t, "x.tgz", 600_000), others))
	if faults := Faults(both); len(faults) > 0 {
		t.Errorf("two bundles: %v", faults)
	}
}

func isForeign(err error, path string) bool {
	foreign, ok := errors.AsType[*ForeignPartError](err)
	return ok && foreign.Path == path
}

// TestOtherFilesAreNoParts opens layouts that have nothing to do with parts.
func TestOtherFilesAreNoParts(t *testing.T) {
	s := newSample(t)
	one := s.archive(t, "one.tgz", bundle.Gzip)
	if _, ok := openAsOne(t, []string{one}).(*archiveLayout); !ok {
		t.Error("a bundle is a union")
	}
	_, err := OpenUnion([]string{one, one + ".not"}, func(path string) (Layout, error) { return OpenLayout(path, OpenOptions{}) })
	if input, ok := errors.AsType[*InputError](err); !ok || input.Path != one+".not" {
		t.Errorf("without parts a missing input is %v", err)
	}
}

func readBlob(t *testing.T, l Layout, desc ocispec.Descriptor) []byte {
	t.Helper()
	blob, err := l.Open(desc.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	data, err := io.ReadAll(blob)
	if err != nil || blob.Size() != desc.Size {
		t.Fatalf("%s has %d bytes: %v", desc.Digest, blob.Size(), err)
	}
	return data
}
