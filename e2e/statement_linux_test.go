package e2e

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// TestStatementOf100000ArtifactsKeepsThePromiseOfMemory states 100,000 artifacts with a signature
// each, and reads that statement. Neither needs a blob of theirs.
func TestStatementOf100000ArtifactsKeepsThePromiseOfMemory(t *testing.T) {
	const artifacts = 100_000
	d := newDesk(t)
	x := new(oci.Index)
	for i := range artifacts {
		image := digest.FromString(strconv.Itoa(i))
		x.Entries = append(x.Entries,
			oci.Entry{Name: fmt.Sprintf("registry.example/team%d/app:v%d", i/1000, i), Digest: image, MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 500},
			oci.Entry{Digest: digest.FromString("signature of " + strconv.Itoa(i)), MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 700,
				ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json", Subject: compact.Of(image)})
	}
	var index bytes.Buffer
	if _, err := x.WriteTo(&index); err != nil {
		t.Fatal(err)
	}
	layout(t, d, "many", index.String())
	stated := d.bounded(nil, "statement", "--input", "many").exits(0).stdout
	if n := strings.Count(stated, `{"reference":"registry.example/`); n != artifacts {
		t.Errorf("%d artifacts, want %d", n, artifacts)
	}
	d.write("statement.json", stated)
	layout(t, d, "none", `{"schemaVersion":2,"manifests":[]}`)
	d.bounded(nil, "verify", "--input", "none", "--statement", "statement.json").exits(5).says("registry.example/team0/app:v0: missing: ", "199,951 more differ from statement.json")
}

// layout writes a layout without blobs.
func layout(t *testing.T, d *desk, name, index string) {
	t.Helper()
	if err := os.MkdirAll(d.path(name+"/blobs/sha256"), 0o755); err != nil {
		t.Fatal(err)
	}
	d.write(name+"/oci-layout", `{"imageLayoutVersion":"1.0.0"}`)
	d.write(name+"/index.json", index)
}
