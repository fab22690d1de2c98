package store

import (
	"path/filepath"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/content/oci"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// oras-go reads what we write: the directory and the plain tar, by full names.
func TestOrasReadsOurs(t *testing.T) {
	s := newSample(t)
	directory, err := oci.New(s.directory(t))
	if err != nil {
		t.Fatal(err)
	}
	archive, err := oci.NewFromTar(t.Context(), s.archive(t, "x.tar", bundle.None))
	if err != nil {
		t.Fatal(err)
	}
	const name = "example.com/app:v1"
	want, _ := s.index.Lookup(name)
	for _, source := range []oras.ReadOnlyGraphTarget{directory, archive} {
		to := memory.New()
		got, err := oras.ExtendedCopy(t.Context(), source, name, to, name, oras.DefaultExtendedCopyOptions)
		if err != nil || got.Digest != want.Digest {
			t.Errorf("%T: %s, %v", source, got.Digest, err)
		}
		for _, b := range s.all() {
			if ok, err := to.Exists(t.Context(), b.desc); !ok || err != nil {
				t.Errorf("%T: %s was not copied: %v", source, b.desc.Digest, err)
			}
		}
	}
}

// We read a layout of oras-go, and add to it without removing anything.
func TestWeReadOras(t *testing.T) {
	path := filepath.Join(t.TempDir(), "layout")
	theirs, err := oci.New(path)
	if err != nil {
		t.Fatal(err)
	}
	o := oras.PackManifestOptions{Layers: []ocispec.Descriptor{}}
	packed, err := oras.PackManifest(t.Context(), theirs, oras.PackManifestVersion1_1, "application/x-test", o)
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.Tag(t.Context(), packed, "v1"); err != nil {
		t.Fatal(err)
	}
	d := openDir(t, path)
	e, ok := d.Index().Lookup("v1")
	if !ok || e.Digest != packed.Digest || e.ArtifactType != "application/x-test" {
		t.Errorf("%+v, %v", e, ok)
	}
	s := newSample(t)
	s.write(t, d)
	commit(t, d)
	closeAll(t, d)
	both, err := oci.New(path)
	if err != nil {
		t.Fatal(err)
	}
	var tags []string
	if err := both.Tags(t.Context(), "", func(page []string) error { tags = append(tags, page...); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(tags)
	if want := []string{"example.com/app:amd64", "example.com/app:v1", "v1"}; !slices.Equal(tags, want) {
		t.Errorf("tags %q, want %q", tags, want)
	}
	if got, err := both.Resolve(t.Context(), "v1"); err != nil || got.Digest != packed.Digest {
		t.Errorf("v1 is %s, %v", got.Digest, err)
	}
	if r, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{}); err != nil || len(r.Faults) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
