package config

import (
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/platform"
)

// Platform is one of those that an image index has images for, in the words of
// the OCI image spec. It is made by [ParsePlatform], so that x86_64 is amd64
// everywhere behind it. The zero value stands for every platform.
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

// ParsePlatforms parses what a command line asks for and returns it as a
// [Selection] has it: sorted, without repeats, nil for all.
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

// UnmarshalText takes what [ParsePlatform] takes.
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

// WithoutPlainVariant returns p without a variant that goes without saying. That asks for
// more only where there are images of other variants.
func (p Platform) WithoutPlainVariant() Platform {
	if p.Architecture != "arm" && p.Variant == platform.DefaultVariant(p.Architecture) {
		p.Variant = ""
	}
	return p
}

// DistinctPlatforms returns platforms sorted as they are written, each once, without those
// whose variants are all asked for; nil if all platforms are meant.
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

// checkPlatforms judges the key platforms.
func checkPlatforms(o object, platforms []Platform) {
	o.notEmpty("platforms")
	if o.sound("platforms") && len(platforms) > 1 && slices.Contains(platforms, Platform{}) {
		o.fault("platforms", `"all" cannot be combined with other platforms`)
	}
}

// suggestPlatform mends a platform without an OS, or with the two swapped.
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
