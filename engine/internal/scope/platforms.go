package scope

import (
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// PlatformNames writes a selection as an entry of index.json records it.
func PlatformNames(platforms []config.Platform) string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return strings.Join(names, ",")
}

// ParsePlatforms reads what PlatformNames wrote.
func ParsePlatforms(names string) ([]config.Platform, error) {
	if names == "" {
		return nil, nil
	}
	var platforms []config.Platform
	for name := range strings.SplitSeq(names, ",") {
		p, err := config.ParsePlatform(name)
		if err != nil {
			return nil, err
		}
		platforms = append(platforms, p)
	}
	return platforms, nil
}

// HasPlatform reports whether a child of an index has a platform. BuildKit writes "unknown"
// for a child that is not an image.
func HasPlatform(c ocispec.Descriptor) bool {
	return c.Platform != nil && c.Platform.OS != "unknown"
}

// IsFor reports whether a child of an index is for a platform.
func IsFor(c ocispec.Descriptor, p config.Platform) bool {
	return p.Matches(c.Platform.OS, c.Platform.Architecture, c.Platform.Variant)
}

// IsAttestation reports whether a child of an index is an attestation of BuildKit.
func IsAttestation(c ocispec.Descriptor) bool {
	_, is := oci.AttestationOf(c)
	return is
}

// PlatformsIn lists the platforms that some children of an index are for.
func PlatformsIn(children []ocispec.Descriptor) []string {
	var have []string
	for _, c := range children {
		if !HasPlatform(c) || IsAttestation(c) {
			continue
		}
		name := config.Platform{OS: c.Platform.OS, Architecture: c.Platform.Architecture, Variant: c.Platform.Variant}.String()
		if !slices.Contains(have, name) {
			have = append(have, name)
		}
	}
	return have
}
