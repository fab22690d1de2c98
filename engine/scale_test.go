package engine_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// inOnePage answers a request for tags with all of these.
func inOnePage(tags []string) testregistry.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"name":"many","tags":["%s"]}`, strings.Join(tags, `","`))
		})
	}
}

// A page of 120,000 tags has 5 MB, beyond what oras-go reads of one.
func TestScaleOfATagList(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	tags := make([]string, 120_000)
	for i := range tags {
		tags[i] = fmt.Sprintf("v1.%d.0-of-a-long-name-such-as-builds-have", i)
	}
	for i := range 100 {
		tags[1000*i] = fmt.Sprintf("v1.%d.0", i)
	}
	newest := []string{"v1.97.0", "v1.98.0", "v1.99.0"}
	for _, tag := range newest {
		source.Image("many", tag, []byte("layer"))
	}
	source.Fault(testregistry.Always("GET tags", inOnePage(tags)))
	all := selections(t, source.Host+"/many")
	all[0].Tags = filter.Tags{Regex: `v1\.\d+\.0`, Latest: 3}
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, all)
	testregistry.CheckCounts(t, source, map[string]int{"GET tags": 1, "GET manifest": 3, "GET referrers": 1, "GET blob": 2})
	if got, want := strings.Join(entries(t, path), " "), "many:"+strings.Join(newest, " many:"); got != want {
		t.Errorf("the bundle has %s, want %s", got, want)
	}

	repository, err := client(0).Repository(source.Host, "many")
	if err != nil {
		t.Fatal(err)
	}
	listed := 0
	if err := repository.Tags(t.Context(), func(page []string) error { listed += len(page); return nil }); err != nil || listed != len(tags) {
		t.Errorf("%d tags are listed, %v", listed, err)
	}
}

// Opening a layout decodes its index.json and nothing else: none of the manifests
// that this one lists is there.
func TestScaleOfALayout(t *testing.T) {
	const artifacts = 100_000
	path := filepath.Join(t.TempDir(), "layout") + "/"
	writeLayout(t, path, artifacts)
	source := testregistry.New(t, testregistry.Options{})
	source.Image("one", "v1", []byte("one more"))

	before := memory()
	backUp(t, path, selections(t, source.Reference("one", "v1")))
	after := memory()
	testregistry.CheckCounts(t, source, map[string]int{"GET manifest": 2, "GET referrers": 1, "GET blob": 2, "HEAD manifest": 3}) // the fallback tag and cosign's three, which no list shows
	// Reading, finding a place and writing take 9 allocations and 1.3 KB for each; to
	// look for each manifest would take five more.
	if each := float64(after.Mallocs-before.Mallocs) / artifacts; each > 12 {
		t.Errorf("%.1f allocations for each artifact that was there", each)
	}
	if each := (after.TotalAlloc - before.TotalAlloc) / artifacts; each > 1700 {
		t.Errorf("%d bytes allocated for each artifact that was there", each)
	}
	data, err := os.ReadFile(filepath.Join(path, "index.json"))
	if n := bytes.Count(data, []byte(`{"mediaType"`)); err != nil || n != artifacts+1 {
		t.Errorf("%d entries, %v", n, err)
	}
}

func memory() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return m
}

// writeLayout makes a directory that lists n artifacts.
func writeLayout(t *testing.T, path string, n int) {
	t.Helper()
	if err := os.Mkdir(path, 0o755); err != nil {
		t.Fatal(err)
	}
	var index bytes.Buffer
	index.WriteString(`{"schemaVersion":2,"manifests":[`)
	for i := range n {
		d := digest.FromString(fmt.Sprint(i))
		fmt.Fprintf(&index, `{"mediaType":"%s","digest":"%s","size":4096,"annotations":{"%s":"registry.example.com/team/app-%03d:v1.%d.0"}},`,
			ocispec.MediaTypeImageManifest, d, ocispec.AnnotationRefName, i%300, i)
	}
	index.Truncate(index.Len() - 1)
	index.WriteString("]}")
	for name, data := range map[string][]byte{"index.json": index.Bytes(), "oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)} {
		if err := os.WriteFile(filepath.Join(path, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fillReferred puts ten images, three of them with an SBOM, and two indexes of two children each.
// One index has a signature with a timestamp, and a child with an SBOM: 12 roots, 4 children, 6
// referrers of as many subjects.
func fillReferred(r *testregistry.Registry) {
	for i := range 10 {
		image := r.Image("app", fmt.Sprintf("v%d", i), fmt.Append(nil, i))
		if i < 3 {
			r.Referrer("app", image, "application/vnd.example.sbom", fmt.Append(nil, "sbom", i))
		}
	}
	for i := range 2 {
		one, two := r.Image("app", "", fmt.Append(nil, "one", i)), r.Image("app", "", fmt.Append(nil, "two", i))
		index := r.Index("app", fmt.Sprintf("index%d", i), one, two)
		if i == 0 {
			signature := r.Referrer("app", index, "application/vnd.example.signature", []byte("signature"))
			r.Referrer("app", signature, "application/vnd.example.timestamp", []byte("timestamp"))
			r.Referrer("app", two, "application/vnd.example.sbom", []byte("sbom of a child"))
		}
	}
}

// tagSchema makes the client of a run for registries that are known to have no
// referrers API, so that no request finds it out.
func tagSchema() *registry.Client {
	return registry.New(registry.Options{Settings: func(string) (registry.Settings, error) {
		return registry.Settings{DistributionSpec: "v1.1-referrers-tag"}, nil
	}})
}

// With the tag schema a referrers tag that the list shows costs a GET each time,
// and one that it does not show costs nothing.
func TestRequestsOfReferrersTags(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	fillReferred(source)
	path := filepath.Join(t.TempDir(), "layout") + "/"
	run := func() {
		t.Helper()
		source.ResetCounts()
		out, err := store.Create(path, store.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		report, err := backup.Run(t.Context(), tagSchema(), selections(t, source.Host+"/app"), out, engine.BackupOptions{})
		whole(t, report, err)
	}
	run()
	const blobs = 14*2 + 6 + 1 // of 14 images, of 6 referrers, and the empty config
	testregistry.CheckCounts(t, source, map[string]int{"GET tags": 1, "GET manifest": 12 + 4 + 6 + 6, "GET blob": blobs})
	run()
	testregistry.CheckCounts(t, source, map[string]int{"GET tags": 1, "HEAD manifest": 12, "GET manifest": 6})
}

// Restored again: a HEAD for each tag and each child of an index, and a call for
// each subject that has referrers.
func TestRequestsOfReferrersRestoredAgain(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillReferred(source)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, source.Host+"/app"))
	for name, kind := range map[string]struct {
		options testregistry.Options
		client  func() *registry.Client
		want    map[string]int
	}{
		"API":  {testregistry.Options{}, func() *registry.Client { return client(0) }, map[string]int{"HEAD manifest": 12 + 4, "GET referrers": 6}},
		"tags": {testregistry.Options{NoReferrersAPI: true}, tagSchema, map[string]int{"HEAD manifest": 12 + 4, "GET manifest": 6}},
	} {
		t.Run(name, func(t *testing.T) {
			target := testregistry.New(t, kind.options)
			to, err := config.ParseTarget(target.Host)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				target.ResetCounts()
				in, err := store.OpenLayout(path, store.OpenOptions{})
				if err != nil {
					t.Fatal(err)
				}
				report, err := restore.Run(t.Context(), kind.client(), in, engine.RestoreOptions{Targets: []config.Target{to}})
				whole(t, report, err)
				in.Close()
			}
			testregistry.CheckCounts(t, target, kind.want)
		})
	}
}
