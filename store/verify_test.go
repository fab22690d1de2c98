package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// verdict is the result of Verify and VerifyStream for the same layout; both must agree.
func verdict(t *testing.T, s *sample) *verify.Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.tar")
	a := createArchive(t, path, bundle.None)
	for _, m := range s.manifests {
		a.have[m.desc.Digest] = true // bytes that PutManifest would refuse are wanted here
		if err := errors.Join(a.begin(), a.out.Put(bundle.BlobName(m.desc.Digest), m.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.PutIndex(s.index); err != nil {
		t.Fatal(err)
	}
	for _, b := range s.blobs {
		if err := a.out.Put(bundle.BlobName(b.desc.Digest), b.data); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Commit(false); err != nil {
		t.Fatal(err)
	}
	random, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{Jobs: 3})
	if err != nil {
		t.Fatal(err)
	}
	compareStream(t, path, random)
	return random
}

func compareStream(t *testing.T, path string, random *verify.Result) {
	t.Helper()
	in, err := OpenStream(bytes.NewReader(readFile(t, path)), OpenOptions{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	s, ok := in.(*Stream)
	if !ok {
		return
	}
	once, err := VerifyStream(t.Context(), s, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(faultKeys(once), faultKeys(random)) || once.Blobs != random.Blobs || once.Bytes != random.Bytes ||
		once.LeftOver != random.LeftOver || once.Artifacts != random.Artifacts || once.Referrers != random.Referrers {
		t.Errorf("as a stream: %+v\nat random:   %+v", once, random)
	}
}

func faultKeys(v *verify.Result) []string {
	var keys []string
	for _, f := range v.Faults {
		keys = append(keys, f.Reference+" "+string(f.Digest))
	}
	slices.Sort(keys)
	return keys
}

func TestVerify(t *testing.T) {
	s := newSample(t)
	left := newItem("", []byte("left over"))
	s.blobs = append(s.blobs, left)
	var bytes int64
	for _, b := range s.all() {
		bytes += b.desc.Size
	}
	r := verdict(t, s)
	want := verify.Result{Artifacts: 2, Referrers: 2, Blobs: len(s.all()) - 1, Bytes: bytes - left.desc.Size, LeftOver: 1}
	if len(r.Faults) > 0 || r.Artifacts != want.Artifacts || r.Referrers != want.Referrers ||
		r.Blobs != want.Blobs || r.Bytes != want.Bytes || r.LeftOver != want.LeftOver {
		t.Errorf("got  %+v\nwant %+v", *r, want)
	}
}

// drop removes an item by its digest, and returns the rest.
func drop(items []item, d digest.Digest) []item {
	return slices.DeleteFunc(slices.Clone(items), func(i item) bool { return i.desc.Digest == d })
}

func TestVerifyFindsFaults(t *testing.T) {
	const v1, amd = "example.com/app:v1", "example.com/app:amd64"
	for name, tt := range map[string]struct {
		harm func(s *sample) digest.Digest // returns the blob at fault
		want []string                      // the references that it concerns
	}{
		"a corrupt layer of two images": {func(s *sample) digest.Digest {
			s.blobs[1].data = bytes.Clone(s.blobs[1].data)
			s.blobs[1].data[7_000] ^= 1
			return s.blobs[1].desc.Digest
		}, []string{amd, v1}},
		"a missing layer": {func(s *sample) digest.Digest {
			d := s.blobs[3].desc.Digest
			s.blobs = drop(s.blobs, d)
			return d
		}, []string{amd, v1}},
		"a truncated layer": {func(s *sample) digest.Digest {
			s.blobs[3].data = s.blobs[3].data[:4000]
			return s.blobs[3].desc.Digest
		}, []string{amd, v1}},
		"a missing child": {func(s *sample) digest.Digest {
			d := s.manifests[1].desc.Digest
			s.manifests = drop(s.manifests, d)
			return d
		}, []string{v1}},
		"a corrupt child": {func(s *sample) digest.Digest {
			s.manifests[1].data = bytes.Replace(s.manifests[1].data, []byte("sha256:"), []byte("sha256;"), 1)
			return s.manifests[1].desc.Digest
		}, []string{v1}},
		"a missing root": {func(s *sample) digest.Digest {
			d := s.manifests[0].desc.Digest
			s.manifests = drop(s.manifests, d)
			return d
		}, []string{amd, v1}},
		"two sizes for one blob": {func(s *sample) digest.Digest {
			m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: s.blobs[0].desc}
			m.Config.Size++
			s.put(s.manifest(t, m), "a.com/other:v1")
			return s.blobs[0].desc.Digest
		}, []string{"a.com/other:v1"}},
		"a root that is no manifest": {func(s *sample) digest.Digest {
			bad := newItem(ocispec.MediaTypeImageManifest, []byte(`{"schemaVersion":"two","layers":7}`))
			s.manifests = append(s.manifests, bad)
			s.put(bad.desc, "a.com/bad:v1")
			return bad.desc.Digest
		}, []string{"a.com/bad:v1"}},
	} {
		s := newSample(t)
		d := tt.harm(s)
		var want []string
		for _, reference := range tt.want {
			want = append(want, reference+" "+string(d))
		}
		slices.Sort(want)
		if got := faultKeys(verdict(t, s)); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, want)
		}
	}
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	blob := func(d digest.Digest) string { return filepath.Join(path, filepath.FromSlash(bundle.BlobName(d))) }
	corrupt, missing, short := s.blobs[1].desc, s.blobs[3].desc, s.blobs[5].desc
	data := readFile(t, blob(corrupt.Digest))
	data[5] ^= 1
	writeFile(t, blob(corrupt.Digest), data)
	if err := errors.Join(os.Remove(blob(missing.Digest)), os.Truncate(blob(short.Digest), 7)); err != nil {
		t.Fatal(err)
	}
	r, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[digest.Digest]error)
	for _, f := range r.Faults {
		seen[f.Digest] = f.Err
	}
	var mismatch *oci.MismatchError
	if err := seen[corrupt.Digest]; !errors.As(err, &mismatch) || mismatch.Size != corrupt.Size || mismatch.Digest == corrupt.Digest {
		t.Errorf("corrupt: %v", err)
	}
	if err := seen[short.Digest]; !errors.As(err, &mismatch) || mismatch.Size != 7 {
		t.Errorf("short: %v", err)
	}
	var gone *verify.MissingError
	if err := seen[missing.Digest]; !errors.As(err, &gone) {
		t.Errorf("missing: %v", err)
	}
	if len(seen) != 3 {
		t.Errorf("%v", seen)
	}
}

func TestVerifyUnknownSubject(t *testing.T) {
	s := newSample(t)
	subject := newItem(ocispec.MediaTypeImageManifest, []byte("elsewhere")).desc
	lost := s.image(t, "lost", &subject, []byte("signed"))
	s.put(lost, "")
	s.put(s.image(t, "named", &subject, []byte("signed")), "example.com/signature:v1") // asked for by itself
	r := verdict(t, s)
	var unknown *verify.SubjectError
	if len(r.Faults) != 1 || r.Faults[0].Digest != lost.Digest || r.Faults[0].Reference != string(lost.Digest) ||
		!errors.As(r.Faults[0].Err, &unknown) || unknown.Subject != subject.Digest {
		t.Errorf("%v", r.Faults)
	}
	if r.Referrers != 3 || r.Artifacts != 3 {
		t.Errorf("%d referrers, %d artifacts", r.Referrers, r.Artifacts)
	}
}

// A subject must be a manifest: a layer with its digest is not enough.
func TestVerifySubjectThatIsABlob(t *testing.T) {
	s := newSample(t)
	subject := s.blobs[0].desc
	s.put(s.image(t, "lost", &subject, []byte("signed")), "")
	if r := verdict(t, s); len(r.Faults) != 1 {
		t.Errorf("%v", r.Faults)
	}
}

func TestVerifyCancelled(t *testing.T) {
	path := newSample(t).directory(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := verify.Options{Progress: func(int64) { cancel() }}
	if r, err := Verify(ctx, openLayoutAt(t, path, OpenOptions{}), o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestVerifyProgress(t *testing.T) {
	s := newSample(t)
	var read atomic.Int64
	r, err := Verify(t.Context(), openLayoutAt(t, s.directory(t), OpenOptions{}), verify.Options{Progress: func(n int64) { read.Add(n) }})
	if err != nil || read.Load() != r.Bytes {
		t.Errorf("heard of %d bytes of %d, %v", read.Load(), r.Bytes, err)
	}
}

// TestWrongSizeBlamesTheLiarAlone: two artifacts share a layer and an image, and one gives
// wrong sizes.
func TestWrongSizeBlamesTheLiarAlone(t *testing.T) {
	path := t.TempDir() + "/layout"
	dir, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(mediaType string, data string) ocispec.Descriptor {
		desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromString(data), Size: int64(len(data))}
		if err := dir.Push(desc, []byte(data)); err != nil {
			t.Fatal(err)
		}
		return desc
	}
	text := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	name := func(name string, d ocispec.Descriptor) {
		dir.Index().Put(oci.Entry{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size, Name: name})
	}
	layer := put(ocispec.MediaTypeImageLayer, "layer")
	wrong := layer
	wrong.Size = 3
	image := put(ocispec.MediaTypeImageManifest, text(map[string]any{"schemaVersion": 2, "layers": []any{layer}}))
	larger := image
	larger.Size++
	name("example.com/a:image", image)
	name("example.com/a:index", put(ocispec.MediaTypeImageIndex, text(map[string]any{"schemaVersion": 2, "manifests": []any{image}})))
	name("example.com/a:liar1", put(ocispec.MediaTypeImageManifest, text(map[string]any{"schemaVersion": 2, "layers": []any{wrong}})))
	name("example.com/a:liar2", put(ocispec.MediaTypeImageManifest, text(map[string]any{"schemaVersion": 2, "layers": []any{layer, wrong}})))
	name("example.com/a:liar3", put(ocispec.MediaTypeImageIndex, text(map[string]any{"schemaVersion": 2, "manifests": []any{larger}})))
	if err := errors.Join(dir.Commit(t.Context()), dir.Close()); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		v, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var blamed []string
		for _, f := range v.Faults {
			blamed = append(blamed, strings.TrimPrefix(f.Reference, "example.com/a:"))
		}
		if slices.Sort(blamed); !slices.Equal(blamed, []string{"liar1", "liar2", "liar3"}) {
			t.Errorf("blamed: %v", v.Faults)
		}
	}
}

// shortOf is a layout in a process that cannot open more files.
type shortOf struct{ Layout }

func (shortOf) Open(digest.Digest) (Blob, error) {
	return nil, &fs.PathError{Op: "open", Path: "blob", Err: syscall.EMFILE}
}

func TestTooManyOpenFilesAreNoFault(t *testing.T) {
	l := openLayoutAt(t, newSample(t).directory(t), OpenOptions{})
	if v, err := Verify(t.Context(), shortOf{l}, verify.Options{}); !disk.IsTooManyFiles(err) {
		t.Errorf("%+v, %v", v, err)
	}
}
