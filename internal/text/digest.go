package text

import (
	"strings"
)

// ShortDigest is a digest as docker shows it: enough to tell two apart by eye.
func ShortDigest(digest string) string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return algorithm + ":" + hex[:min(len(hex), 12)]
}
