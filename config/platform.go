package config

import (
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/platform"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Platform is a platform of images, in the words of the OCI image spec. [ParsePlatform]
// normalizes it, so that x86_64 is amd64. The zero value stands for every platform.
type Platform struct {
	OS           string
	Architecture string
	Variant      string // "" stands for every variant
}

// ParsePlatform parses OS/ARCHITECTURE[/VARIANT], or "all" for every platform.
// Its error is a [*ReferenceError].
func ParsePlatform(s string) (Platform, error) {
	if p, ok := platform.Parse(s); ok {
		return Platform(p), nil
	}
	reason := "a platform must be OS/ARCHITECTURE[/VARIANT]"
	if s == "" {
		reason = "empty"
	}
	return Platform{}, &ReferenceError{Reference: s, Reason: reason, Suggestion: suggestPlatform(s)}
}

// ParsePlatforms parses several platforms and returns them in the form of a [Selection]:
// sorted, without duplicates, nil for all. Its error is a [*ReferenceError].
func ParsePlatforms(values []string) ([]Platform, error) {
	all := make([]Platform, len(values))
	for i, s := range values {
		p, err := ParsePlatform(s)
		if err != nil {
			return nil, err
		}
		all[i] = p
	}
	return DistinctPlatforms(all), nil
}

// UnmarshalText parses text by [ParsePlatform].
func (p *Platform) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePlatform(string(text))
	return err
}

// String returns OS/ARCHITECTURE[/VARIANT], which parses to p again.
func (p Platform) String() string { return platform.Platform(p).String() }

// Matches reports whether p selects an image for a platform. A p without a variant selects
// every variant.
func (p Platform) Matches(os, architecture, variant string) bool {
	return platform.Platform(p).Matches(platform.Platform{OS: os, Architecture: architecture, Variant: variant})
}

// WithoutDefaultVariant returns p without the default variant of its architecture. The result
// selects more images only where there are images for other variants.
func (p Platform) WithoutDefaultVariant() Platform {
	if p.Architecture != "arm" && p.Variant == platform.DefaultVariant(p.Architecture) {
		p.Variant = ""
	}
	return p
}

// DistinctPlatforms returns the platforms sorted by their text, without duplicates and without
// a variant whose architecture is selected as a whole; nil means all platforms.
func DistinctPlatforms(platforms []Platform) []Platform {
	if len(platforms) == 0 || slices.Contains(platforms, Platform{}) {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(platforms), func(a, b Platform) int {
		return strings.Compare(a.String(), b.String())
	})
	return slices.DeleteFunc(slices.Compact(sorted), func(p Platform) bool {
		general := Platform{OS: p.OS, Architecture: p.Architecture}
		return p != general && slices.Contains(platforms, general)
	})
}

// CheckPlatforms reports the faults of the key platforms.
func CheckPlatforms(o strictyaml.Object, platforms []Platform) {
	o.NotEmpty("platforms")
	if o.Valid("platforms") && len(platforms) > 1 && slices.Contains(platforms, Platform{}) {
		o.Fault("platforms", `"all" cannot be combined with other platforms`)
	}
}

// suggestPlatform corrects a platform without an OS, or with OS and architecture swapped.
func suggestPlatform(s string) string {
	architecture, rest, _ := strings.Cut(strings.ToLower(s), "/")
	if !platform.IsArchitecture(architecture) {
		return ""
	}
	guess := "linux/" + s
	if slices.Contains([]string{"darwin", "freebsd", "linux", "windows"}, rest) {
		guess = rest + "/" + architecture
	}
	if p, ok := platform.Parse(guess); ok {
		return p.String()
	}
	return ""
}
