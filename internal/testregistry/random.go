package testregistry

import (
	"crypto/sha256"
	"math/rand/v2"
)

// Random returns size incompressible bytes, always the same for the same seed.
func Random(seed string, size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8(sha256.Sum256([]byte(seed))).Read(data)
	return data
}
