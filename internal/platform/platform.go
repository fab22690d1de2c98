// Package platform writes the platforms of images in one way, that of containerd's
// package platforms.
package platform

import (
	"cmp"
	"strings"
)

// The words that mean the same, and the variants of images that name none.
var (
	architectures = map[string]string{"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
	plainVariants = map[string]string{"amd64": "v1", "arm64": "v8", "arm": "v7"}
)

// Architecture returns the usual word for an architecture: amd64 for x86_64.
func Architecture(word string) string { return cmp.Or(architectures[word], word) }

// PlainVariant returns the variant of an image that names none; "" where there is only
// one.
func PlainVariant(architecture string) string { return plainVariants[architecture] }

// Normalize returns a platform in lower case and in the usual words: arm/7 is arm/v7.
func Normalize(os, architecture, variant string) (string, string, string) {
	os, architecture, variant = strings.ToLower(os), Architecture(strings.ToLower(architecture)), strings.ToLower(variant)
	if len(variant) == 1 && strings.HasPrefix(architecture, "arm") {
		variant = "v" + variant
	}
	return os, architecture, variant
}
