package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// keeping keeps the entries of these names.
func keeping(names ...string) PruneOptions {
	return PruneOptions{Keep: func(name string) bool { return slices.Contains(names, name) }}
}

func prune(t *testing.T, path string, o PruneOptions) (*Pruned, error) {
	t.Helper()
	d, err := OpenLayoutDir(path)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, d)
	return d.Prune(t.Context(), o)
}

// checkWhole verifies a layout and returns the result.
func checkWhole(t *testing.T, path string) *verify.Result {
	t.Helper()
	v, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range v.Faults {
		t.Errorf("%s: %s: %v", f.Reference, f.Digest, f.Err)
	}
	return v
}

func TestPruneTakesReferrersAndBlobsAlong(t *testing.T) {
	path := newSample(t).directory(t)
	before := names(t, path)
	o := keeping("example.com/app:amd64")
	o.DryRun = true
	would, err := prune(t, path, o)
	if err != nil {
		t.Fatal(err)
	}
	if after := names(t, path); !slices.Equal(after, before) {
		t.Errorf("a dry run leaves %q of %q", after, before)
	}
	did, err := prune(t, path, keeping("example.com/app:amd64"))
	if err != nil {
		t.Fatal(err)
	}
	// arm64, the index and the two signatures; their configs; one layer each, but
	// not the one that the images share.
	if len(did.Entries) != 1 || did.Referrers != 2 || did.Blobs != 4+3+3 {
		t.Errorf("removed %+v", did)
	}
	if would.Blobs != did.Blobs || would.Bytes != did.Bytes || would.Referrers != did.Referrers || len(would.Entries) != len(did.Entries) {
		t.Errorf("it would remove %+v and removed %+v", would, did)
	}
	if v := checkWhole(t, path); v.LeftOver != 0 || v.Artifacts != 1 || v.Referrers != 0 {
		t.Errorf("left is %+v", v)
	}
}

func TestPruneKeepsAllThatIsNeeded(t *testing.T) {
	path := newSample(t).directory(t)
	before := checkWhole(t, path)
	did, err := prune(t, path, keeping("example.com/app:v1"))
	if err != nil {
		t.Fatal(err)
	}
	if len(did.Entries) != 1 || did.Referrers != 0 || did.Blobs != 0 { // the index still needs the image
		t.Errorf("removed %+v", did)
	}
	if v := checkWhole(t, path); v.Blobs != before.Blobs || v.Referrers != before.Referrers {
		t.Errorf("of %+v %+v is left", before, v)
	}
}

func TestPruneAttached(t *testing.T) {
	for kept, want := range map[string]int{"example.com/app:v1": 1, "example.com/app:v2": 2} {
		s := newSample(t)
		attached := s.image(t, "attached", nil, []byte("attached"))
		subject, _ := s.index.Lookup("example.com/app:v1")
		s.put(attached, "example.com/app:"+cosign.Tag(subject.Digest, cosign.Signature))
		s.put(s.image(t, "v2", nil, []byte("two")), "example.com/app:v2")
		path := s.directory(t)
		did, err := prune(t, path, keeping(kept, "example.com/app:amd64"))
		if err != nil || len(did.Entries) != want {
			t.Errorf("with %s it removed %+v, %v", kept, did, err)
		}
		checkWhole(t, path)
	}
}

func TestPruneKeepsWhatHasNoName(t *testing.T) {
	s := newSample(t)
	nameless := s.image(t, "nameless", nil, []byte("nameless"))
	s.index.Put(oci.Entry{MediaType: nameless.MediaType, Digest: nameless.Digest, Size: nameless.Size})
	path := s.directory(t)
	foreign := filepath.Join(path, "blobs", "sha256", "notes.txt")
	writeFile(t, foreign, []byte("not a blob"))
	did, err := prune(t, path, keeping())
	if err != nil {
		t.Fatal(err)
	}
	if did.Unnamed != 1 || len(did.Entries) != 2 {
		t.Errorf("removed %+v", did)
	}
	if v := checkWhole(t, path); v.Artifacts != 1 || v.Blobs != 3 {
		t.Errorf("left is %+v", v)
	}
	if !exists(foreign) {
		t.Error("a file that is no blob was removed")
	}
}

// TestPruneRemovesNothingIfItCannotTell damages one manifest after the other.
func TestPruneRemovesNothingIfItCannotTell(t *testing.T) {
	for _, damage := range []string{"missing", "wrong"} {
		for i := range newSample(t).manifests {
			s := newSample(t)
			path := s.directory(t)
			victim := filepath.Join(path, "blobs", "sha256", s.manifests[i].desc.Digest.Encoded())
			if err := os.Remove(victim); err != nil {
				t.Fatal(err)
			}
			if damage == "wrong" {
				writeFile(t, victim, []byte(strings.Repeat("x", int(s.manifests[i].desc.Size))))
			}
			before := names(t, path)
			_, err := prune(t, path, keeping("example.com/app:v1"))
			var unknown *PruneError
			if !errors.As(err, &unknown) || unknown.Digest != s.manifests[i].desc.Digest {
				t.Errorf("%s manifest %d: %v", damage, i, err)
			}
			if after := names(t, path); !slices.Equal(after, before) {
				t.Errorf("%s manifest %d: of %q %q is left", damage, i, before, after)
			}
		}
	}
}

// TestPruneInterrupted ends in the middle of the removal: index.json has changed, and all
// that it references is present.
func TestPruneInterrupted(t *testing.T) {
	path := newSample(t).directory(t)
	d := openDir(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	sync := d.sync
	d.sync = func(file string) error {
		if file == d.path { // the last thing that a commit does
			cancel()
		}
		return sync(file)
	}
	if _, err := d.Prune(ctx, keeping("example.com/app:amd64")); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	closeAll(t, d)
	if v := checkWhole(t, path); v.Artifacts != 1 || v.LeftOver == 0 {
		t.Errorf("left is %+v", v)
	}
	if _, err := prune(t, path, keeping("example.com/app:amd64")); err != nil {
		t.Fatal(err)
	}
	if v := checkWhole(t, path); v.LeftOver != 0 {
		t.Errorf("%d blobs are left over", v.LeftOver)
	}
}

func TestPruneOfASparseIndex(t *testing.T) {
	s := newSample(t)
	e, _ := s.index.Lookup("example.com/app:v1")
	e.Platforms = "linux/amd64"
	s.index = new(oci.Index)
	s.index.Put(e)
	path := s.directory(t)
	arm := s.manifests[1].desc
	if err := os.Remove(filepath.Join(path, "blobs", "sha256", arm.Digest.Encoded())); err != nil {
		t.Fatal(err)
	}
	if _, err := prune(t, path, keeping("example.com/app:v1")); err != nil {
		t.Fatal(err)
	}
	if v := checkWhole(t, path); v.LeftOver != 0 {
		t.Errorf("%d blobs are left over", v.LeftOver)
	}
}

func TestOpenLayoutDirMakesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent")
	var input *InputError
	if _, err := OpenLayoutDir(path); !errors.As(err, &input) || exists(path) {
		t.Errorf("opened with %v", err)
	}
	if _, err := OpenLayoutDir(t.TempDir()); !errors.As(err, &input) {
		t.Errorf("opened an empty directory with %v", err)
	}
}

// TestDoubtHashesWhatIndexReaches: with hashAll, the right size is not enough.
func TestDoubtHashesWhatIndexReaches(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	victim := s.blobs[1]
	data := slices.Clone(victim.data)
	data[0] ^= 1
	writeFile(t, filepath.Join(path, "blobs", "sha256", victim.desc.Digest.Encoded()), data)
	for _, verify := range []bool{false, true} {
		out, err := Create(path, CreateOptions{Verify: verify})
		if err != nil {
			t.Fatal(err)
		}
		d := out.(*Dir)
		for _, m := range s.manifests { // passes trust on
			if _, err := ReadManifest(d, m.desc); err != nil {
				t.Fatal(err)
			}
		}
		if has := d.Has(victim.desc); has == verify {
			t.Errorf("verify %v: a damaged blob counts: %v", verify, has)
		}
		if !d.Has(s.blobs[0].desc) {
			t.Errorf("verify %v: a good blob does not count", verify)
		}
		closeAll(t, d)
	}
}

func TestIndexHolds(t *testing.T) {
	x := new(oci.Index)
	d := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("one"), Size: 3}
	named := oci.Entry{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size, Name: "a.io/b:c", Referrers: oci.ReferrersAll}
	referrer := oci.Entry{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size, Repositories: []string{"a.io/b", "a.io/c"}}
	x.Put(named)
	x.Put(referrer)
	some, more, none, moved := referrer, referrer, named, named
	some.Repositories = []string{"a.io/c"}
	more.Repositories = []string{"a.io/d"}
	none.Referrers = oci.ReferrersNone
	moved.Digest = digest.FromString("two")
	for _, test := range []struct {
		e    oci.Entry
		want bool
	}{{named, true}, {referrer, true}, {some, true}, {more, false}, {none, false}, {moved, false}} {
		if got := x.Holds(test.e); got != test.want {
			t.Errorf("holds %+v: %v", test.e, got)
		}
	}
}

// TestPruneOfALayoutWithoutAnIndex: without an index.json no blob is removed.
func TestPruneOfALayoutWithoutAnIndex(t *testing.T) {
	for name, hurt := range map[string]func(path string) error{
		"no index.json":      os.Remove,
		"index.json is {}":   func(path string) error { return os.WriteFile(path, []byte("{}"), 0o644) },
		"manifests are null": func(path string) error { return os.WriteFile(path, []byte(`{"manifests":null}`), 0o644) },
	} {
		path := newSample(t).directory(t)
		if err := hurt(filepath.Join(path, bundle.IndexFile)); err != nil {
			t.Fatal(err)
		}
		d, err := OpenLayoutDir(path)
		if err == nil {
			t.Errorf("%s: opened", name)
			closeAll(t, d)
		}
	}
}
