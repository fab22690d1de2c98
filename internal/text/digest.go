package text

import "strings"

// ShortDigest shortens a digest to its first twelve digits, as docker does.
func ShortDigest(digest string) string {
	algorithm, hex, _ := strings.Cut(digest, ":")
	return algorithm + ":" + hex[:min(len(hex), 12)]
}
