package main

import (
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestDiffTakesTwoAlgorithmsOfOneManifestForTheSame: a registry may name by sha256 what a
// layout has by sha512.
func TestDiffTakesTwoAlgorithmsOfOneManifestForTheSame(t *testing.T) {
	short, long := digest.SHA256.FromString("a"), digest.SHA512.FromString("a")
	const name = "example.com/a:v1"
	for _, tt := range []struct {
		a, b tagged
		same bool
	}{
		{tagged{Reference: name, Digest: long, other: short}, tagged{Reference: name, Digest: short}, true},
		{tagged{Reference: name, Digest: long}, tagged{Reference: name, Digest: short, other: long}, true},
		{tagged{Reference: name, Digest: long}, tagged{Reference: name, Digest: short}, false},
		{tagged{Reference: name, Digest: long, other: short}, tagged{Reference: name, Digest: digest.SHA256.FromString("b")}, false},
		{tagged{Reference: name, Digest: short}, tagged{Reference: name, Digest: digest.SHA256.FromString("b")}, false},
		{tagged{Reference: name, Digest: short, with: "x"}, tagged{Reference: name, Digest: short}, false},
	} {
		if got := diffOf([]tagged{tt.a}, []tagged{tt.b}).isEmpty(); got != tt.same {
			t.Errorf("%v and %v are the same: %v", tt.a, tt.b, got)
		}
	}
}
