// Package platform holds the one rule by which platforms of images are spelled and compared:
// that of containerd's package platforms. linux/x86_64 is linux/amd64, and linux/arm/7 is
// linux/arm/v7.
package platform

import (
	"cmp"
	"slices"
	"strings"
)

// Platform names what an image runs on, in the words of the OCI image spec. The zero value
// stands for every platform.
type Platform struct{ OS, Architecture, Variant string }

// all is the spelling of the zero Platform.
const all = "all"

// Parse parses OS/ARCHITECTURE[/VARIANT] or "all", and returns the normalized platform.
func Parse(s string) (p Platform, ok bool) {
	if s == all {
		return Platform{}, true
	}
	parts := strings.Split(strings.ToLower(s), "/")
	if len(parts) < 2 || len(parts) > 3 || slices.ContainsFunc(parts, isInvalid) {
		return Platform{}, false
	}
	p = Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p.normalize(), !IsArchitecture(p.OS)
}

// isInvalid reports whether s, which is in lower case, cannot be a part of a platform.
func isInvalid(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	return s == "" || !strings.ContainsRune(letters, rune(s[0])) || strings.Trim(s, letters+"_.-") != ""
}

// String returns OS/ARCHITECTURE[/VARIANT], which parses to p if p is normalized.
func (p Platform) String() string {
	switch {
	case p == Platform{}:
		return all
	case p.Variant == "":
		return p.OS + "/" + p.Architecture
	}
	return p.OS + "/" + p.Architecture + "/" + p.Variant
}

// Matches reports whether p selects an image for a platform. A p without a variant selects
// every variant; an image without one has the default variant of its architecture.
func (p Platform) Matches(image Platform) bool {
	if p == (Platform{}) {
		return true
	}
	p, image = p.normalize(), image.normalize()
	image.Variant = cmp.Or(image.Variant, DefaultVariant(image.Architecture))
	return p.OS == image.OS && p.Architecture == image.Architecture && (p.Variant == "" || p.Variant == image.Variant)
}

// normalize returns p in lower case and with the usual word for its architecture.
func (p Platform) normalize() Platform {
	p = Platform{OS: strings.ToLower(p.OS), Architecture: strings.ToLower(p.Architecture), Variant: strings.ToLower(p.Variant)}
	p.Architecture = architecture(p.Architecture)
	if len(p.Variant) == 1 && strings.HasPrefix(p.Architecture, "arm") {
		p.Variant = "v" + p.Variant
	}
	return p
}

var (
	synonyms = map[string]string{"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
	variants = map[string]string{"amd64": "v1", "arm64": "v8", "arm": "v7"}
	// architectures are the GOARCH values that tell an architecture from an operating system.
	architectures = []string{"386", "amd64", "arm", "arm64", "ppc64le", "riscv64", "s390x"}
)

// architecture returns the usual word for an architecture.
func architecture(word string) string { return cmp.Or(synonyms[word], word) }

// IsArchitecture reports whether a word in lower case is an architecture of images.
func IsArchitecture(word string) bool { return slices.Contains(architectures, architecture(word)) }

// DefaultVariant returns the variant of an image that names none, or "" if its architecture
// has no variants.
func DefaultVariant(architecture string) string { return variants[architecture] }
