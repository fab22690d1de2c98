// Package compact keeps digests in less memory than their texts. Lists of 100,000 artifacts
// have several for each.
package compact

import (
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Digest is a digest in less than half of the memory of its text: a byte for the
// algorithm and the raw bytes. "" is no digest.
type Digest string

// algorithms maps the first byte to the algorithm.
var algorithms = [...]digest.Algorithm{digest.SHA256, digest.SHA384, digest.SHA512}

// sizes maps the first byte to the number of bytes that follow.
var sizes = [...]int{sha256.Size, sha512.Size384, sha512.Size}

// First returns the compact digest that p begins with.
func First(p []byte) []byte { return p[:1+sizes[p[0]]] }

// Of returns d in compact form; "" if d is invalid. It is called for each of hundreds
// of thousands of entries, so it avoids the regular expressions of go-digest.
func Of(d digest.Digest) Digest {
	algorithm, text, _ := strings.Cut(string(d), ":")
	for i, a := range algorithms {
		if algorithm != string(a) || len(text) != 2*a.Size() || strings.ContainsAny(text, "ABCDEF") {
			continue
		}
		raw := make([]byte, 1, 1+sha512.Size)
		raw[0] = byte(i)
		if raw, err := hex.AppendDecode(raw, []byte(text)); err == nil {
			return Digest(raw)
		}
	}
	return ""
}

// Digest returns the digest as a text; "" for no digest.
func (c Digest) Digest() digest.Digest {
	if c == "" {
		return ""
	}
	return digest.NewDigestFromEncoded(algorithms[c[0]], hex.EncodeToString([]byte(c[1:])))
}

// MarshalText returns the text of the digest.
func (c Digest) MarshalText() ([]byte, error) { return []byte(c.Digest()), nil }

// UnmarshalText reads the text of a digest; no text is no digest.
func (c *Digest) UnmarshalText(text []byte) error {
	d := digest.Digest(text)
	if *c = Of(d); *c == "" && d != "" {
		return fmt.Errorf("%.200q: %w", d, cmp.Or(d.Validate(), digest.ErrDigestInvalidFormat))
	}
	return nil
}
