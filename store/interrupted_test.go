package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// TestInterruptedWhileItReads: if a second run is interrupted while it reads the remains
// of the first, a third run can still resume them.
func TestInterruptedWhileItReads(t *testing.T) {
	stop := errors.New("interrupted")
	stopped := CreateOptions{Interrupted: func() error { return stop }}
	data := bytes.Repeat([]byte("unfinished "), 100_000)
	desc := ocispec.Descriptor{MediaType: "application/octet-stream", Digest: digest.FromBytes(data), Size: int64(len(data))}

	t.Run("archive", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "bundle.tgz")
		a, err := CreateArchive(path, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.PutIndex(new(oci.Index)); err != nil {
			t.Fatal(err)
		}
		if err := a.Begin(desc); err != nil {
			t.Fatal(err)
		}
		e := a.Encoder(desc, func(p []byte) error { _, err := a.Write(p); return err })
		e.Write(data)
		if err := errors.Join(e.Close(), a.End(), a.Close()); err != nil {
			t.Fatal(err)
		}
		keeps(t, path+".partial", func() {
			if _, err := Create(path, stopped); !errors.Is(err, stop) {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("directory", func(t *testing.T) {
		path := t.TempDir() + "/"
		d, err := OpenDir(path)
		if err != nil {
			t.Fatal(err)
		}
		in, err := d.Ingest(desc)
		if err != nil {
			t.Fatal(err)
		}
		in.Write(data[:500_000])
		if err := errors.Join(in.Close(), d.Close()); err != nil {
			t.Fatal(err)
		}
		keeps(t, filepath.Join(path, ingestFolder, ingestName(desc.Digest)), func() {
			out, err := Create(path, stopped)
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			if _, err := out.(*Dir).Ingest(desc); !errors.Is(err, stop) {
				t.Errorf("got %v", err)
			}
		})
	})
}

// keeps fails the test if do changes a file.
func keeps(t *testing.T, path string, do func()) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil || len(before) == 0 {
		t.Fatal(len(before), err)
	}
	do()
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("of %d bytes %d are left, %v", len(before), len(after), err)
	}
}
