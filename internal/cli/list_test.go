package cli

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestListCountsTheReferrersOfABackup counts the referrers of referrers and of children, and
// those under tags of cosign, each once, and their bytes with those of the artifact.
func TestListCountsTheReferrersOfABackup(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	image := r.Image("app", "", []byte("image"))
	index := r.Index("app", "v1", image)
	const kind = "application/vnd.example"
	sbom := r.Referrer("app", image, kind, []byte("sbom"))
	signed := r.Referrer("app", sbom, kind, []byte("signature of the sbom"))
	r.Referrer("app", signed, kind, []byte("timestamp of that"))
	r.Referrer("app", index, kind, []byte("signature"))
	tag := func(of digest.Digest) string { return strings.Replace(of.String(), ":", "-", 1) }
	attached := r.Image("app", tag(index.Digest)+".sig", []byte("of the index"))
	r.Image("app", tag(image.Digest)+".sig", []byte("of the image"))
	r.Referrer("app", attached, kind, []byte("of what is attached"))
	for _, name := range []string{"layout/", "bundle.tgz"} {
		path := t.TempDir() + "/" + name
		file := t.TempDir() + "/report.json"
		code, _, stderr := try(t, "", "backup", "-o", path, "--report", file, r.Host+"/app:v1")
		if code != 0 || !strings.Contains(stderr, "and 7 referrers") {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		_, stdout, _ := try(t, "", "list", "--input", filepath.Clean(path), "--format", "json")
		var l inventory.Listing
		if err := json.Unmarshal([]byte(stdout), &l); err != nil || len(l.Artifacts) != 1 || l.Artifacts[0].CountReferrers() != 7 {
			t.Errorf("%s: %v, %s", name, err, stdout)
		}
		var d report.Document
		data, err := os.ReadFile(file)
		if err = errors.Join(err, json.Unmarshal(data, &d)); err != nil || d.Artifacts[0].Size != l.Artifacts[0].Size {
			t.Errorf("%s: %v, %d bytes in the list, in the report are %+v", name, err, l.Artifacts[0].Size, d.Artifacts)
		}
	}
}
