package restore

import (
	"os"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// TestPlainFileGoesToARegistryThatChecksDigests: net/http sends such a file with
// sendfile. To one that does not check, or for few bytes, goes what is hashed.
func TestPlainFileGoesToARegistryThatChecksDigests(t *testing.T) {
	path, data := t.TempDir(), []byte("blob")
	desc := ocispec.Descriptor{Digest: digest.FromBytes(data), Size: int64(len(data))}
	for _, file := range []struct{ name, content string }{
		{"oci-layout", `{"imageLayoutVersion":"1.0.0"}`},
		{"index.json", `{"schemaVersion":2,"manifests":[]}`},
		{"blobs/sha256/" + desc.Digest.Encoded(), string(data)},
	} {
		if err := os.MkdirAll(path+"/blobs/sha256", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path+"/"+file.name, []byte(file.content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	layout, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer layout.Close()
	for _, tt := range []struct {
		name     string
		checks   bool
		outgoing int64
		plain    bool
		requests int
	}{
		{"checks, many bytes", true, probeFrom, true, registry.ProbeRequests},
		{"checks, few bytes", true, probeFrom - 1, false, 0},
		{"does not check, many bytes", false, probeFrom, false, registry.ProbeRequests},
	} {
		target := testregistry.New(t, testregistry.Options{NoDigestCheck: !tt.checks})
		client := registry.New(registry.Options{})
		u := newUploads(engine.Silent{}, newTraffic())
		from, err := source.Open(t.Context(), layout, engine.RestoreOptions{Progress: engine.Silent{}})
		if err != nil {
			t.Fatal(err)
		}
		u.outgoing[target.Host] = tt.outgoing
		for _, name := range []string{"one", "two"} {
			repo, err := client.Repository(target.Host, name)
			if err != nil {
				t.Fatal(err)
			}
			b := u.body(&upload{uploadKey: uploadKey{registry: target.Host}}, &headway.Sending{Progress: engine.Silent{}}, from.Content(content.Of(desc)))
			body, err := (&repository{Repository: repo}).opener(t.Context(), b)()
			if err != nil {
				t.Fatal(err)
			}
			if _, plain := body.(*os.File); plain != tt.plain {
				t.Errorf("%s: %T", tt.name, body)
			}
			body.Close()
		}
		if got := len(target.Requests()); got != tt.requests {
			t.Errorf("%s: %d requests", tt.name, got)
		}
	}
}
