package inventory

import (
	"encoding/json"
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestDiffTakesTwoAlgorithmsOfOneManifestForTheSame compares a layout with sha512 digests and
// a registry with sha256 digests.
func TestDiffTakesTwoAlgorithmsOfOneManifestForTheSame(t *testing.T) {
	short, long := digest.SHA256.FromString("a"), digest.SHA512.FromString("a")
	const name = "example.com/a:v1"
	for _, tt := range []struct {
		a, b Name
		same bool
	}{
		{Name{Reference: name, Digest: long, Other: short}, Name{Reference: name, Digest: short}, true},
		{Name{Reference: name, Digest: long}, Name{Reference: name, Digest: short, Other: long}, true},
		{Name{Reference: name, Digest: long}, Name{Reference: name, Digest: short}, false},
		{Name{Reference: name, Digest: long, Other: short}, Name{Reference: name, Digest: digest.SHA256.FromString("b")}, false},
		{Name{Reference: name, Digest: short}, Name{Reference: name, Digest: digest.SHA256.FromString("b")}, false},
		{Name{Reference: name, Digest: short, With: "x"}, Name{Reference: name, Digest: short}, false},
	} {
		if got := Diff([]Name{tt.a}, []Name{tt.b}).IsEmpty(); got != tt.same {
			t.Errorf("%v and %v are the same: %v", tt.a, tt.b, got)
		}
	}
}

// TestNameInJSON: With and Other only help to compare.
func TestNameInJSON(t *testing.T) {
	got, err := json.Marshal(Name{Reference: "a.io/b:c", Digest: "sha256:1", With: "x", Other: "sha512:2"})
	if want := `{"reference":"a.io/b:c","digest":"sha256:1"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
