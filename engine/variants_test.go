package engine_test

import (
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestVariantTakesNoOther: linux/arm64/v8 is not linux/arm64 where there are others, and
// is called so in index.json and in a lock only there.
func TestVariantTakesNoOther(t *testing.T) {
	variant := func(desc ocispec.Descriptor, name string) ocispec.Descriptor {
		desc.Platform = &ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: name}
		return desc
	}
	r := testregistry.New(t, testregistry.Options{})
	v8, v9, plain := variant(r.Image("app", "", []byte("v8")), "v8"), variant(r.Image("app", "", []byte("v9")), "v9"), variant(r.Image("app", "", []byte("plain")), "")
	amd := r.Image("app", "", []byte("amd64"))
	amd.Platform = &ocispec.Platform{OS: "linux", Architecture: "amd64"}
	r.Index("app", "all", v8, v9, plain, amd)
	r.Index("app", "usual", v8, amd)
	for _, tt := range []struct {
		tag, asked, named string
		want              []ocispec.Descriptor
	}{
		{"all", "linux/arm64/v8", "linux/arm64/v8", []ocispec.Descriptor{v8, plain}},
		{"all", "linux/arm64", "linux/arm64", []ocispec.Descriptor{v8, v9, plain}},
		{"all", "linux/arm64/v9", "linux/arm64/v9", []ocispec.Descriptor{v9}},
		{"usual", "linux/arm64/v8", "linux/arm64", []ocispec.Descriptor{v8}},
	} {
		selected := only(t, selections(t, r.Host+"/app:"+tt.tag), tt.asked)
		path := t.TempDir() + "/x.tgz"
		backUp(t, path, selected)
		entries(t, path) // which verifies it
		in := reopen(t, path)
		for _, desc := range []ocispec.Descriptor{v8, v9, plain, amd} {
			_, err := in.Stat(desc.Digest)
			if want := slices.ContainsFunc(tt.want, func(w ocispec.Descriptor) bool { return w.Digest == desc.Digest }); want != (err == nil) {
				t.Errorf("%s of %s: %s/%s is there: %v", tt.asked, tt.tag, desc.Platform.Architecture, desc.Platform.Variant, err == nil)
			}
		}
		if got := in.Index().Entries[0].Platforms; got != tt.named {
			t.Errorf("%s of %s: index.json says %q", tt.asked, tt.tag, got)
		}
		forecast, err := backup.Forecast(t.Context(), client(0), selected, backup.Output{}, engine.BackupOptions{})
		if err != nil {
			t.Fatal(err)
		}
		lock, err := forecast.Lock()
		if err != nil {
			t.Fatal(err)
		}
		want, err := config.ParsePlatform(tt.named)
		if got := lock.Artifacts[0].Platforms; err != nil || !slices.Equal(got, []config.Platform{want}) {
			t.Errorf("%s of %s: the lock says %v, %v", tt.asked, tt.tag, got, err)
		}
	}
}
