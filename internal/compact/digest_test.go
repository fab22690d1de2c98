package compact

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestCompactDigests(t *testing.T) {
	for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA384, digest.SHA512} {
		d := algorithm.FromString("content")
		if c := Of(d); c.Digest() != d || len(c) != 1+algorithm.Size() {
			t.Errorf("%s: %d bytes, %s", d, len(c), c.Digest())
		}
	}
	sum := digest.FromString("content")
	for _, text := range []digest.Digest{"", "sha256", "sha256:", sum[:70], sum + "0", "md5:" + sum[7:], digest.Digest(strings.ToUpper(string(sum))),
		"sha256:" + digest.Digest(strings.ToUpper(string(sum[7:]))), "sha256:" + sum[7:70] + "g", "sha512:" + sum[7:]} {
		if c := Of(text); c != "" || c.Digest() != "" {
			t.Errorf("%q: %q", text, c)
		}
		if text.Validate() == nil {
			t.Errorf("%q is valid", text)
		}
	}
}
