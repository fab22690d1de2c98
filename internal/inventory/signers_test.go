package inventory

import (
	"strings"
	"testing"
)

// TestChangedSigner: a signer that changed is one line, which names both.
func TestChangedSigner(t *testing.T) {
	was, is := Name{Reference: "a.io/b:v1", Digest: "sha256:1", SignedBy: "cosign key A"}, Name{Reference: "a.io/b:v1", Digest: "sha256:1", SignedBy: "cosign key B"}
	for _, c := range []struct {
		before, after Name
		want          string
	}{
		{was, was, ""},
		{was, is, "~ a.io/b:v1 sha256:1 signed by cosign key B, was cosign key A\n"},
		{Name{Reference: "a.io/b:v1", Digest: "sha256:1"}, is, "~ a.io/b:v1 sha256:1 signed by cosign key B, was none\n"},
		{was, Name{Reference: "a.io/b:v1", Digest: "sha256:1", With: "linux/amd64", SignedBy: "cosign key A"}, "~ a.io/b:v1 sha256:1 with other platforms or referrers\n"},
		{was, Name{Reference: "a.io/b:v1", Digest: "sha256:2", SignedBy: "cosign key B"}, "~ a.io/b:v1 sha256:1 -> sha256:2 signed by cosign key B, was cosign key A\n"},
		{was, Name{Reference: "a.io/b:v1", Digest: "sha256:2", SignedBy: "cosign key A"}, "~ a.io/b:v1 sha256:1 -> sha256:2\n"},
		{was, Name{Reference: "a.io/b:v1", Digest: "sha256:1", With: "sha256:3", SignedBy: "cosign key B"}, "~ a.io/b:v1 sha256:1 signed by cosign key B, was cosign key A\n"},
	} {
		var b strings.Builder
		if err := Diff([]Name{c.before}, []Name{c.after}).Print(&b); err != nil || b.String() != c.want {
			t.Errorf("got %q, %v, want %q", b.String(), err, c.want)
		}
	}
}
