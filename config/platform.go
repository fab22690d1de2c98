package config

import (
	"cmp"
	"regexp"
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

// allPlatforms is how the zero Platform is written: with it a source takes
// everything although the defaults do not.
const allPlatforms = "all"

var platformPart = regexp.MustCompile(`^[a-z0-9][a-z0-9_.-]*$`)

// ParsePlatform parses OS/ARCHITECTURE[/VARIANT], or "all" for every platform.
// Its error is a [*ReferenceError].
func ParsePlatform(s string) (Platform, error) {
	if p, ok := parsePlatform(s); ok {
		return p, nil
	}
	reason := "a platform is OS/ARCHITECTURE[/VARIANT]"
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

func parsePlatform(s string) (Platform, bool) {
	if s == allPlatforms {
		return Platform{}, true
	}
	parts := strings.Split(strings.ToLower(s), "/")
	if len(parts) < 2 || len(parts) > 3 {
		return Platform{}, false
	}
	for _, part := range parts {
		if !platformPart.MatchString(part) {
			return Platform{}, false
		}
	}
	parts = append(parts, "")
	return normalizePlatform(parts[0], parts[1], parts[2]), !isArchitecture(parts[0])
}

// UnmarshalText takes what [ParsePlatform] takes.
func (p *Platform) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePlatform(string(text))
	return err
}

// String returns OS/ARCHITECTURE[/VARIANT], which parses to p again.
func (p Platform) String() string {
	switch {
	case p == Platform{}:
		return allPlatforms
	case p.Variant == "":
		return p.OS + "/" + p.Architecture
	}
	return p.OS + "/" + p.Architecture + "/" + p.Variant
}

// Matches says that an image for a platform is one that p asks for. A p
// without a variant asks for all of them.
func (p Platform) Matches(os, architecture, variant string) bool {
	if p == (Platform{}) {
		return true
	}
	want, have := normalizePlatform(p.OS, p.Architecture, p.Variant), normalizePlatform(os, architecture, variant)
	have.Variant = cmp.Or(have.Variant, platform.PlainVariant(have.Architecture))
	return want.OS == have.OS && want.Architecture == have.Architecture &&
		(want.Variant == "" || want.Variant == have.Variant)
}

// WithoutPlainVariant returns p without a variant that goes without saying. That asks for
// more only where there are images of other variants.
func (p Platform) WithoutPlainVariant() Platform {
	if p.Architecture != "arm" && p.Variant == platform.PlainVariant(p.Architecture) {
		p.Variant = ""
	}
	return p
}

func normalizePlatform(os, architecture, variant string) Platform {
	os, architecture, variant = platform.Normalize(os, architecture, variant)
	return Platform{os, architecture, variant}
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
		o.fault("platforms", `"all" stands alone`)
	}
}

// What is known of GOOS and GOARCH, to tell one from the other.
var (
	knownSystems       = []string{"darwin", "freebsd", "linux", "windows"}
	knownArchitectures = []string{"386", "amd64", "arm", "arm64", "ppc64le", "riscv64", "s390x"}
)

func isArchitecture(word string) bool {
	return slices.Contains(knownArchitectures, platform.Architecture(word))
}

// suggestPlatform mends a platform without an OS, or with the two swapped.
func suggestPlatform(s string) string {
	architecture, rest, _ := strings.Cut(strings.ToLower(s), "/")
	if !isArchitecture(architecture) {
		return ""
	}
	guess := "linux/" + s
	if slices.Contains(knownSystems, rest) {
		guess = rest + "/" + architecture
	}
	if p, ok := parsePlatform(guess); ok {
		return p.String()
	}
	return ""
}
