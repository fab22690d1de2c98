package store

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// list adds an index of manifests under a tag.
func (s *sample) list(t testing.TB, name string, manifests ...ocispec.Descriptor) {
	t.Helper()
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: manifests}
	index.SchemaVersion = 2
	s.put(s.manifest(t, index), name)
}

// listedSample returns an image whose referrer is only in a list, and another referrer in
// a list whose tag is not made of the digest of its subject.
func listedSample(t testing.TB, repository string) *sample {
	t.Helper()
	s := &sample{index: new(oci.Index)}
	image := s.image(t, "image", nil, []byte("layer"))
	signature := s.image(t, "signature", &image, []byte("signed"))
	other := s.image(t, "other", nil, []byte("other"))
	s.put(image, repository+"v1")
	s.put(other, repository+"v2")
	s.list(t, repository+strings.Replace(image.Digest.String(), ":", "-", 1), signature, other)
	return s
}

// TestReferrersListIsTold: an index under a tag that is made of a digest is a list of
// referrers if one of its manifests has that subject, or if it is empty.
func TestReferrersListIsTold(t *testing.T) {
	s := &sample{index: new(oci.Index)}
	image := s.image(t, "image", nil)
	signature := s.image(t, "signature", &image)
	other := s.image(t, "other", &signature)
	gone := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString("gone"), Size: 4}
	read := func(desc ocispec.Descriptor) ([]byte, error) {
		for _, m := range s.manifests {
			if m.desc.Digest == desc.Digest {
				return m.data, nil
			}
		}
		return nil, &verify.MissingError{}
	}
	tag := "sha256-" + image.Digest.Encoded()
	for name, test := range map[string]struct {
		name    string
		of      []ocispec.Descriptor
		members int
		is      bool
	}{
		"a bare tag":                 {tag, []ocispec.Descriptor{signature}, 1, true},
		"a full name":                {"example.com:5000/team/app:" + tag, []ocispec.Descriptor{signature}, 1, true},
		"a stale member":             {tag, []ocispec.Descriptor{other, signature, image}, 1, true},
		"a member that is not here":  {tag, []ocispec.Descriptor{signature, gone}, 2, true},
		"no member":                  {tag, nil, 0, true},
		"no member with the subject": {tag, []ocispec.Descriptor{image, other}, 0, false},
		"another tag":                {"v1", []ocispec.Descriptor{signature}, 0, false},
		"a tag of cosign's":          {tag + ".sig", []ocispec.Descriptor{signature}, 0, false},
	} {
		s.list(t, test.name, test.of...)
		e, _ := s.index.Lookup(test.name)
		members, is := oci.ReferrersList(e, read)
		if is != test.is || len(members) != test.members {
			t.Errorf("%s: %v, a list: %v", name, members, is)
		}
		for _, m := range members {
			if m.Subject != image.Digest {
				t.Errorf("%s: %s refers to %s", name, m.Digest, m.Subject)
			}
		}
	}
	long := ocispec.Descriptor{MediaType: image.MediaType, Digest: digest.SHA512.FromString("image"), Size: 5}
	s.list(t, "sha512-"+long.Digest.Encoded()[:64], s.image(t, "long", &long))
	e, _ := s.index.Lookup("sha512-" + long.Digest.Encoded()[:64])
	if members, is := oci.ReferrersList(e, read); !is || len(members) != 1 || members[0].Subject != long.Digest {
		t.Errorf("under a digest that is cut: %v, a list: %v", members, is)
	}
	s.put(signature, tag)
	e, _ = s.index.Lookup(tag)
	if _, is := oci.ReferrersList(e, read); is {
		t.Error("an image is a list")
	}
}

func TestReferrersListIsNoArtifactForVerify(t *testing.T) {
	for _, repository := range []string{"", "example.com/app:"} {
		path := listedSample(t, repository).directory(t)
		if v := checkWhole(t, path); v.Artifacts != 2 || v.Referrers != 1 {
			t.Errorf("%d artifacts, %d referrers", v.Artifacts, v.Referrers)
		}
	}
}

// TestPruneTakesAListWithItsSubject: a list stays as long as its subject.
func TestPruneTakesAListWithItsSubject(t *testing.T) {
	path := listedSample(t, "example.com/app:").directory(t)
	did, err := prune(t, path, keeping("example.com/app:v1"))
	if err != nil || len(did.Entries) != 1 || did.Referrers != 0 {
		t.Fatalf("%+v, %v", did, err)
	}
	if v := checkWhole(t, path); v.Artifacts != 1 || v.Referrers != 1 || v.LeftOver != 0 {
		t.Errorf("%+v is left", v)
	}
	did, err = prune(t, path, keeping())
	if err != nil || len(did.Entries) != 1 || did.Referrers != 1 {
		t.Fatalf("%+v, %v", did, err)
	}
	if v := checkWhole(t, path); v.Artifacts+v.Referrers+v.Blobs+v.LeftOver != 0 {
		t.Errorf("%+v is left", v)
	}
}

// TestChildWithoutANameIsNoArtifactForVerify: oras-go lists the children of an index
// beside it.
func TestChildWithoutANameIsNoArtifactForVerify(t *testing.T) {
	s := &sample{index: new(oci.Index)}
	child, alone := s.image(t, "child", nil), s.image(t, "alone", nil)
	s.put(child, "")
	s.put(alone, "")
	s.list(t, "example.com/app:v1", child)
	if v := checkWhole(t, s.directory(t)); v.Artifacts != 2 {
		t.Errorf("%d artifacts", v.Artifacts)
	}
}
