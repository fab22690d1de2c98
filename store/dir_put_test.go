package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

func TestHas(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	d := openDir(t, path)
	for _, b := range s.blobs {
		if !d.Has(b.desc) {
			t.Errorf("%s is missing", b.desc.Digest)
		}
	}
	if d.Has(newItem("", []byte("absent")).desc) {
		t.Error("has what is absent")
	}
	if d.Has(ocispec.Descriptor{Digest: "sha256:../../index.json"}) {
		t.Error("has what is no digest")
	}
}

func TestHasFindsTruncatedBlobsBySize(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	root := s.index.Entries[0].Descriptor()
	blob := filepath.Join(path, bundle.BlobName(root.Digest))
	if err := os.Truncate(blob, root.Size-1); err != nil {
		t.Fatal(err)
	}
	d := openDir(t, path)
	if d.Has(root) {
		t.Error("has a truncated blob")
	}
	for _, m := range s.manifests {
		if err := d.Push(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := ReadManifest(d, root); err != nil {
		t.Errorf("it was not replaced: %q, %v", data, err)
	}
}

// A blob that index.json references counts by its size. Any other was left by a killed
// run, and counts after it is hashed.
func TestHasHashesWhatIsNotReached(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	flip := func(d digest.Digest) {
		t.Helper()
		name := filepath.Join(path, bundle.BlobName(d))
		data := readFile(t, name)
		data[len(data)/2] ^= 1
		writeFile(t, name, data)
	}
	shared := s.blobs[1].desc // a layer of both images
	flip(shared.Digest)

	d := openDir(t, path)
	if d.Has(shared) {
		t.Error("a corrupt blob counts before anything says that index.json reaches it")
	}
	image := s.manifests[0].desc
	if _, err := ReadManifest(d, image); err != nil {
		t.Fatal(err)
	}
	if !d.Has(shared) {
		t.Error("a blob that index.json reaches was hashed")
	}

	// Pushing a manifest does not make its blobs trusted.
	more := newItem(ocispec.MediaTypeImageManifest, []byte(fmt.Sprintf(
		`{"schemaVersion":2,"layers":[{"digest":%q,"size":4}]}`, digest.FromString("good"))))
	writeFile(t, filepath.Join(path, bundle.BlobName(digest.FromString("good"))), []byte("evil"))
	if err := d.Push(more.desc, more.data); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadManifest(d, more.desc); err != nil {
		t.Fatal(err)
	}
	if d.Has(ocispec.Descriptor{Digest: digest.FromString("good"), Size: 4}) {
		t.Error("a corrupt blob of a new manifest counts")
	}
}

// Children that were left out of an index are not reached.
func TestTrustEndsAtTheSelection(t *testing.T) {
	s := newSample(t)
	for i := range s.index.Entries {
		s.index.Entries[i].Platforms = "linux/amd64"
	}
	path := s.directory(t)
	d := openDir(t, path)
	if _, err := ReadManifest(d, s.manifests[2].desc); err != nil {
		t.Fatal(err)
	}
	amd, arm := s.manifests[0].desc.Digest, s.manifests[1].desc.Digest
	if !d.trust.has(amd) || d.trust.has(arm) {
		t.Errorf("amd64 %v, arm64 %v", d.trust.has(amd), d.trust.has(arm))
	}
}

func TestPush(t *testing.T) {
	d := openDir(t, t.TempDir())
	m := newItem(ocispec.MediaTypeImageManifest, []byte(`{}`))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if err := d.Push(m.desc, m.data); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	testBlob(t, d, m)
	var mismatch *oci.MismatchError
	if err := d.Push(m.desc, []byte(`[]`)); !errors.As(err, &mismatch) || !errors.Is(err, content.ErrMismatchedDigest) {
		t.Errorf("other bytes: %v", err)
	}
	if err := d.Push(ocispec.Descriptor{Digest: "sha256:../x", Size: 2}, m.data); err == nil {
		t.Error("a digest that is a path was accepted")
	}
}

func TestDirConcurrentUse(t *testing.T) {
	d := openDir(t, t.TempDir())
	var wait sync.WaitGroup
	for i := range 40 {
		wait.Go(func() {
			b := newItem(ocispec.MediaTypeImageManifest, fmt.Appendf(nil, `{"i":%d}`, i))
			ingest(t, d, b)
			d.Index().Put(oci.Entry{Digest: b.desc.Digest, Size: b.desc.Size, Name: fmt.Sprint("example.com/x:", i)})
			if i%10 == 0 {
				if err := d.Commit(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	commit(t, d)
	if got := len(openLayoutAt(t, d.Path(), OpenOptions{}).Index().Entries); got != 40 {
		t.Errorf("%d entries", got)
	}
}
