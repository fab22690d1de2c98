package store

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"

	"github.com/opencontainers/go-digest"
)

// CompactDigest is a digest in less than half of the memory of its text: a byte for the
// algorithm and the raw bytes. "" is no digest.
type CompactDigest string

// compactAlgorithms maps the first byte to the algorithm.
var compactAlgorithms = [...]digest.Algorithm{digest.SHA256, digest.SHA384, digest.SHA512}

// compactSizes maps the first byte to the number of bytes that follow.
var compactSizes = [...]int{sha256.Size, sha512.Size384, sha512.Size}

// FirstCompact returns the compact digest that p begins with.
func FirstCompact(p []byte) []byte { return p[:1+compactSizes[p[0]]] }

// Compact returns d in compact form; "" if d is invalid. It is called for each of hundreds
// of thousands of entries, so it avoids the regular expressions of go-digest.
func Compact(d digest.Digest) CompactDigest {
	algorithm, text, _ := strings.Cut(string(d), ":")
	for i, a := range compactAlgorithms {
		if algorithm != string(a) || len(text) != 2*a.Size() || strings.ContainsAny(text, "ABCDEF") {
			continue
		}
		raw := make([]byte, 1, 1+sha512.Size)
		raw[0] = byte(i)
		if raw, err := hex.AppendDecode(raw, []byte(text)); err == nil {
			return CompactDigest(raw)
		}
	}
	return ""
}

// Digest returns the digest as a text; "" for no digest.
func (c CompactDigest) Digest() digest.Digest {
	if c == "" {
		return ""
	}
	return digest.NewDigestFromEncoded(compactAlgorithms[c[0]], hex.EncodeToString([]byte(c[1:])))
}
