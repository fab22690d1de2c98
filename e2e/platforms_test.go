package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

const signatureType = "application/vnd.example.signature"

// signedPlatforms puts an image for three platforms and signs, as a user does with
// oras, the index and each of the images.
func signedPlatforms(d *desk, r *realRegistry) (index ocispec.Descriptor, images map[string]ocispec.Descriptor) {
	d.t.Helper()
	s := testregistry.NewSeeder(d.t, r.Access)
	images = make(map[string]ocispec.Descriptor)
	var children []ocispec.Descriptor
	for _, name := range []string{"linux/amd64", "linux/arm64", "linux/arm/v7"} {
		image := s.Image("team/app", "", testregistry.Random(name, 3000))
		part := strings.Split(name+"/", "/")
		image.Platform = &ocispec.Platform{OS: part[0], Architecture: part[1], Variant: part[2]}
		images[name] = image
		children = append(children, image)
	}
	index = s.Index("team/app", "v1", children...)
	for _, of := range append(children, index) {
		file := of.Digest.Encoded()[:12] + ".sig"
		d.write(file, "signature of "+of.Digest.String())
		d.oras("attach", "--plain-http", "--artifact-type", signatureType, r.Host+"/team/app@"+of.Digest.String(), file)
	}
	return index, images
}

// discover lists the digests of what oras finds to refer to a manifest.
func (d *desk) discover(host, name string) []string {
	d.t.Helper()
	var found struct {
		Referrers []struct {
			Digest       string
			ArtifactType string
		}
	}
	out := d.oras("discover", "--plain-http", "--format", "json", "--depth", "1", host+"/"+name)
	if err := json.Unmarshal([]byte(out), &found); err != nil {
		d.t.Fatalf("%v\n%s", err, out)
	}
	var digests []string
	for _, r := range found.Referrers {
		if r.ArtifactType != signatureType {
			d.t.Errorf("%s has a referrer of the type %q", name, r.ArtifactType)
		}
		digests = append(digests, r.Digest)
	}
	slices.Sort(digests)
	return digests
}

// Two of three platforms of an image that is signed, and whose images are signed,
// go to registries of three kinds and are found there by oras; the third follows.
func TestSignedPlatforms(t *testing.T) {
	d := newDesk(t)
	source := startRegistry(t, registryOptions{})
	index, images := signedPlatforms(d, source)
	name := func(of ocispec.Descriptor) string { return "team/app@" + of.Digest.String() }
	kept := []ocispec.Descriptor{index, images["linux/arm64"], images["linux/arm/v7"]}

	for _, output := range []string{"bundle.tgz", "layout/"} {
		d.mirror("backup", "-o", output, "--platform", "linux/arm64,linux/arm/v7", source.Host+"/team/app:v1").exits(0).
			says("backed up 1 artifact and 3 referrers")
		d.mirror("verify", "--input", output).exits(0)
		if got := d.mirror("list", "--input", output).exits(0).stdout; !strings.Contains(got, "linux/arm64,linux/arm/v7 (sparse)") {
			t.Errorf("list does not say that it is sparse on purpose:\n%s", got)
		}

		strict, sparse := startRegistry(t, registryOptions{}), startRegistry(t, registryOptions{Sparse: true})
		api := testregistry.New(t, testregistry.Options{})
		d.mirror("restore", "--input", output, strict.Host).exits(1).
			says("rejected an index without all of its platforms", `"platformMode: rewrite"`, "back up all platforms")
		for _, host := range []string{sparse.Host, api.Host} {
			d.mirror("restore", "--verify", "--input", output, host).exits(0).says("restored 1 artifact and 3 referrers")
			if got := d.discover(host, "team/app:v1"); !slices.Equal(got, d.discover(source.Host, "team/app:v1")) {
				t.Errorf("%s: oras discovers %v for the tag", host, got)
			}
			for _, of := range kept {
				want, got := d.discover(source.Host, name(of)), d.discover(host, name(of))
				if len(want) != 1 || !slices.Equal(want, got) {
					t.Errorf("%s: oras discovers %v for %s, want %v", host, got, of.Digest, want)
				}
			}
		}

		rewritten := startRegistry(t, registryOptions{})
		d.write("mirror.yaml", fmt.Sprintf("apiVersion: oras-mirror/v1alpha1\nkind: Mirror\ntargets:\n  - {target: %s, platformMode: rewrite}\n", rewritten.Host))
		for range 2 {
			d.mirror("restore", "--verify", "-f", "mirror.yaml", "--input", output).exits(0).
				says("its signatures are no longer valid", "skipped: 1 referrer", "restored 1 artifact", "2 referrers")
		}
		if got := d.discover(rewritten.Host, "team/app:v1"); len(got) != 0 {
			t.Errorf("a rewritten index has the signatures %v", got)
		}
		for _, of := range kept[1:] {
			if want, got := d.discover(source.Host, name(of)), d.discover(rewritten.Host, name(of)); !slices.Equal(want, got) {
				t.Errorf("rewritten: oras discovers %v for %s, want %v", got, of.Digest, want)
			}
		}
		for platform, want := range map[string]string{"linux/arm64": images["linux/arm64"].Digest.String(), "linux/arm/v7": images["linux/arm/v7"].Digest.String()} {
			if got := strings.TrimSpace(d.oras("resolve", "--plain-http", "--platform", platform, rewritten.Host+"/team/app:v1")); got != want {
				t.Errorf("oras resolves %s to %s, want %s", platform, got, want)
			}
		}

		d.mirror("backup", "-o", output, source.Host+"/team/app:v1").exits(0).says("backed up 1 artifact and 4 referrers")
		if got := d.mirror("list", "--input", output).exits(0).stdout; strings.Contains(got, "sparse") {
			t.Errorf("it is still sparse:\n%s", got)
		}
		d.mirror("restore", "--input", output, strict.Host).exits(0)
		same(t, snapshot(t, source.Access), strict.Access)
	}
}
