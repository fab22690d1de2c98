package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// TestLayouts holds every kind of layout to the same contract.
func TestLayouts(t *testing.T) {
	s := largeSample(t)
	open := func(path string) func(t *testing.T) Layout {
		return func(t *testing.T) Layout { return openLayoutAt(t, path, OpenOptions{TempDir: t.TempDir()}) }
	}
	directory := s.directory(t)
	for name, open := range map[string]func(t *testing.T) Layout{
		"directory":             open(directory),
		"directory for writing": func(t *testing.T) Layout { return openDir(t, s.directory(t)) },
		"tgz":                   open(s.archive(t, "x.tgz", bundle.Gzip)),
		"tar":                   open(s.archive(t, "x.tar", bundle.None)),
		"tgz without its table": open(withoutTable(t, s.archive(t, "x.tgz", bundle.Gzip))),
		"foreign tar":           open(foreignTar(t, directory, plainTar)),
		"foreign tar.gz":        open(foreignTar(t, directory, gzipTar)),
		"foreign tar.zst":       open(foreignTar(t, directory, zstdTar)),
	} {
		t.Run(name, func(t *testing.T) { testLayout(t, s, open(t)) })
	}
}

// TestLayoutsInBuckets holds a layout in a bucket to the same contract.
func TestLayoutsInBuckets(t *testing.T) {
	server := testbucket.New(t)
	s := largeSample(t)
	path := server.Path("layout/")
	s.writeBucket(t, openBucketAt(t, path, CreateOptions{}))
	t.Run("for reading", func(t *testing.T) { testLayout(t, s, openLayoutAt(t, path, OpenOptions{})) })
	t.Run("for writing", func(t *testing.T) { testLayout(t, s, openBucketAt(t, path, CreateOptions{})) })
	for _, name := range []string{"x.tgz", "x.tar"} {
		bundle := server.Path(name)
		s.writeObject(t, bundle)
		t.Run(name, func(t *testing.T) { testLayout(t, s, openLayoutAt(t, bundle, OpenOptions{})) })
	}
	foreign := readFile(t, foreignTar(t, s.directory(t), gzipTar))
	writeFile(t, filepath.Join(server.Folder, "foreign"), foreign)
	t.Run("foreign tar.gz", func(t *testing.T) {
		testLayout(t, s, openLayoutAt(t, server.Path("foreign"), OpenOptions{TempDir: t.TempDir()}))
	})
}

func testLayout(t *testing.T, s *sample, l Layout) {
	if got, want := indexText(t, l.Index()), indexText(t, s.index); got != want {
		t.Errorf("index.json\n%s\nwant\n%s", got, want)
	}
	var wait sync.WaitGroup
	for _, b := range s.all() {
		wait.Go(func() { testBlob(t, l, b) })
	}
	wait.Wait()
	for _, m := range s.manifests {
		if data, err := ReadManifest(l, m.desc); err != nil || !bytes.Equal(data, m.data) {
			t.Errorf("ReadManifest: %.100q, %v", data, err)
		}
	}
	testAbsent(t, l)
	if r, err := Verify(t.Context(), l, verify.Options{}); err != nil || len(r.Faults) > 0 {
		t.Errorf("Verify: %v, %v", r, err)
	}
	closeAll(t, l)
}

func testBlob(t *testing.T, l Layout, want item) {
	if size, err := l.Stat(want.desc.Digest); err != nil || size != want.desc.Size {
		t.Errorf("Stat = %d, %v; want %d", size, err, want.desc.Size)
	}
	blob, err := l.Open(want.desc.Digest)
	if err != nil {
		t.Error(err)
		return
	}
	defer blob.Close()
	data, err := io.ReadAll(blob)
	if err != nil || !bytes.Equal(data, want.data) || blob.Size() != want.desc.Size {
		t.Errorf("%s: read %d of %d bytes, Size %d, %v", want.desc.Digest, len(data), want.desc.Size, blob.Size(), err)
	}
}

func testAbsent(t *testing.T, l Layout) {
	absent := newItem("", []byte("absent")).desc
	if _, err := l.Open(absent.Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of what is absent: %v", err)
	}
	if _, err := l.Stat(absent.Digest); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat of what is absent: %v", err)
	}
	for _, bad := range []string{"", "sha256", "sha256:../../../oci-layout", "sha256:" + string(absent.Digest), "md5:00"} {
		if _, err := l.Open(digest.Digest(bad)); err == nil {
			t.Errorf("%q was opened", bad)
		}
		if _, err := l.Stat(digest.Digest(bad)); err == nil {
			t.Errorf("%q has a size", bad)
		}
	}
}

func TestDirectoryHandsOutFiles(t *testing.T) {
	s := newSample(t)
	l := openLayoutAt(t, s.directory(t), OpenOptions{})
	blob, err := l.Open(s.blobs[0].desc.Digest)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	data, err := io.ReadAll(blob.(File).File())
	if err != nil || !bytes.Equal(data, s.blobs[0].data) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
}

func TestReadManifestVerifies(t *testing.T) {
	good := newItem(ocispec.MediaTypeImageManifest, []byte(`{"a":1}`))
	same := []byte(`{"a":2}`)
	longer := []byte(`{"a":1} and more`)
	for name, tt := range map[string]struct {
		stored []byte
		desc   ocispec.Descriptor
	}{
		"other bytes":  {same, good.desc},
		"other length": {longer, good.desc},
	} {
		path := filepath.Join(t.TempDir(), "layout")
		d := openDir(t, path)
		writeFile(t, d.blobPath(good.desc.Digest), tt.stored)
		var mismatch *oci.MismatchError
		if _, err := ReadManifest(d, tt.desc); !errors.As(err, &mismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	huge := good.desc
	huge.Size = 1 << 50
	if _, err := ReadManifest(openDir(t, t.TempDir()), huge); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a manifest of a petabyte: %v", err)
	}
}

// The same entries give the same index.json everywhere.
func TestIndexBytesAreTheSameEverywhere(t *testing.T) {
	s := newSample(t)
	directory := readFile(t, filepath.Join(s.directory(t), bundle.IndexFile))
	for name, c := range map[string]bundle.Compression{"x.tgz": bundle.Gzip, "x.tar": bundle.None} {
		f, err := os.Open(s.archive(t, name, c))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, _ := f.Stat()
		r, err := bundle.Open(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		entry, err := r.Open(bundle.IndexFile)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(entry); !bytes.Equal(got, directory) {
			t.Errorf("%s: index.json\n%s\nof the directory\n%s", name, got, directory)
		}
	}
}

// withoutTable removes the table of a bundle, so that it must be scanned.
func withoutTable(t *testing.T, path string) string {
	data := readFile(t, path)
	for i := len(data) - 24; i > 0; i-- {
		// The first member of the table: the header of a member of ours, whose
		// extra field goes on with OT.
		if bytes.HasPrefix(data[i:], []byte{0x1f, 0x8b, 8, 4}) && !bytes.HasPrefix(data[i+24:], []byte("OT")) {
			length := memberLength(data[i:])
			if i+length == len(data) {
				t.Fatal("there is no table")
			}
			writeFile(t, path, data[:i+length])
			return path
		}
	}
	t.Fatal("there is no member")
	return ""
}

type compress func(w io.Writer) (io.WriteCloser, error)

func plainTar(w io.Writer) (io.WriteCloser, error) { return nopCloser{w}, nil }
func gzipTar(w io.Writer) (io.WriteCloser, error)  { return gzip.NewWriter(w), nil }
func zstdTar(w io.Writer) (io.WriteCloser, error)  { return zstd.NewWriter(w) }

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// foreignTar packs a directory as "tar c -C DIRECTORY ." does: with folders, in another
// order, and with ./ before the names.
func foreignTar(t *testing.T, directory string, wrap compress) string {
	t.Helper()
	var names []string
	filepath.WalkDir(directory, func(path string, _ fs.DirEntry, err error) error {
		name, _ := filepath.Rel(directory, path)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	slices.Reverse(names)
	path := filepath.Join(t.TempDir(), "foreign.bin")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := wrap(f)
	if err != nil {
		t.Fatal(err)
	}
	out := tar.NewWriter(w)
	for _, name := range names {
		addToTar(t, out, "./"+name, filepath.Join(directory, name))
	}
	if err := errors.Join(out.Close(), w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func addToTar(t *testing.T, out *tar.Writer, name, path string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	header, err := tar.FileInfoHeader(info, "")
	if err != nil {
		t.Fatal(err)
	}
	header.Name = name
	if err := out.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if info.Mode().IsRegular() {
		if _, err := out.Write(readFile(t, path)); err != nil {
			t.Fatal(err)
		}
	}
}
