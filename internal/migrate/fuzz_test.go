package migrate

import (
	"os"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
)

// FuzzRead checks that whatever can be read becomes a valid spec.
func FuzzRead(f *testing.F) {
	for _, path := range []string{"hauler/images.yaml", "hauler/charts.yaml", "oc-mirror/v2alpha1.yaml", "regsync/steps.yaml", "regsync/registry.yaml", "skopeo/sync.yaml", "flux-mirror/config.yaml", "flux-mirror/charts.yaml", "list/mapping.list"} {
		data, err := os.ReadFile(examples + "/" + path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("sync: &a [{source: a.io/x, type: repository, tagSets: [{allow: [x]}, {allow: [y]}]}, {<<: *a}]"))
	f.Add([]byte("apiVersion: content.hauler.cattle.io/v1\nkind: Charts\nspec: {charts: [{repoURL: https://a.io}]}"))
	f.Add([]byte("x:\n  images: {'': [''], \"a\\n# b\": [c]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		result, err := Read("file", data)
		if err != nil {
			return
		}
		text := result.Spec("file")
		spec, err := config.Parse("spec", []byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if len(spec.Sources) != result.Sources() {
			t.Errorf("%d sources, want %d:\n%s", len(spec.Sources), result.Sources(), text)
		}
	})
}
