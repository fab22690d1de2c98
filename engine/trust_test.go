package engine_test

import (
	"maps"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// withoutReferrers selects references whose referrers stay behind.
func withoutReferrers(all []config.Selection) []config.Selection {
	for i := range all {
		all[i].Referrers = false
	}
	return all
}

var formats = []string{"layout/", "bundle.tgz"}

// TestSignedArtifactsAreCopied with their signatures, whatever is selected besides, and the
// signatures cost no request that a copy without a policy does not make.
func TestSignedArtifactsAreCopied(t *testing.T) {
	for _, out := range formats {
		for _, where := range []place{asTag, asReferrer} {
			t.Run(out+string(where), func(t *testing.T) {
				source := testregistry.New(t, testregistry.Options{NoReferrersAPI: where == asTag})
				key := newSigner(t)
				signature := key.sign(source, "app", source.Image("app", "v1", []byte("layer")), where)
				source.Referrer("app", source.Image("app", "v1", []byte("layer")), "application/vnd.example.sbom", []byte("{}"))
				from := source.Host + "/app"

				backUp(t, t.TempDir()+"/"+out, selections(t, from))
				free := maps.Clone(source.Counts())
				for _, all := range [][]config.Selection{selections(t, from), withoutReferrers(selections(t, from))} {
					source.ResetCounts()
					path := t.TempDir() + "/" + out
					report, err := tryBackup(t, path, all, engine.BackupOptions{Trust: trusting(t, key.policy("**"))})
					whole(t, report, err)
					if got := report.Artifacts[0].SignedBy; !slices.Equal(got, []string{key.line()}) {
						t.Errorf("signed by %q", got)
					}
					if !holds(t, path, signature) {
						t.Error("the signature stayed behind")
					}
					for kind, n := range source.Counts() {
						if n > free[kind] {
							t.Errorf("%d %s, without a policy %d", n, kind, free[kind])
						}
					}
				}
			})
		}
	}
}

// holds reports whether a layout has a manifest and all of its blobs.
func holds(t *testing.T, path string, manifest ocispec.Descriptor) bool {
	t.Helper()
	in, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	listed := slices.ContainsFunc(in.Index().Entries, func(e oci.Entry) bool { return e.Digest == manifest.Digest })
	v, err := store.Verify(t.Context(), in, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return listed && len(v.Faults) == 0
}
