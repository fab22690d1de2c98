package compact

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestCompactDigests(t *testing.T) {
	for _, algorithm := range []digest.Algorithm{digest.SHA256, digest.SHA384, digest.SHA512} {
		d := algorithm.FromString("content")
		c := Of(d)
		if c.Digest() != d || len(c) != 1+algorithm.Size() {
			t.Errorf("%s: %d bytes, %s", d, len(c), c.Digest())
		}
		var read Digest
		if text, err := c.MarshalText(); err != nil || string(text) != string(d) || read.UnmarshalText(text) != nil || read != c {
			t.Errorf("%s: written as %q, %v, read as %s", d, text, err, read.Digest())
		}
	}
	sum := digest.FromString("content")
	for _, text := range []digest.Digest{"", "sha256", "sha256:", sum[:70], sum + "0", "md5:" + sum[7:], digest.Digest(strings.ToUpper(string(sum))),
		"sha256:" + digest.Digest(strings.ToUpper(string(sum[7:]))), "sha256:" + sum[7:70] + "g", "sha512:" + sum[7:]} {
		if c := Of(text); c != "" || c.Digest() != "" {
			t.Errorf("%q: %q", text, c)
		}
		read := Of(sum)
		if err := read.UnmarshalText([]byte(text)); read != "" || (err == nil) != (text == "") {
			t.Errorf("%q: read as %q, %v", text, read, err)
		}
		if text.Validate() == nil {
			t.Errorf("%q is valid", text)
		}
	}
}
