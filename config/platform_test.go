package config

import (
	"errors"
	"fmt"
	"testing"
)

func TestParsePlatform(t *testing.T) {
	tests := []struct {
		in   string
		want Platform
		text string
	}{
		{"linux/amd64", Platform{"linux", "amd64", ""}, "linux/amd64"},
		{"linux/arm/v7", Platform{"linux", "arm", "v7"}, "linux/arm/v7"},
		{"linux/arm/7", Platform{"linux", "arm", "v7"}, "linux/arm/v7"},
		{"linux/arm", Platform{"linux", "arm", ""}, "linux/arm"},
		{"linux/arm64/v8", Platform{"linux", "arm64", "v8"}, "linux/arm64/v8"},
		{"linux/arm64/8", Platform{"linux", "arm64", "v8"}, "linux/arm64/v8"},
		{"linux/arm64/v9", Platform{"linux", "arm64", "v9"}, "linux/arm64/v9"},
		{"linux/x86_64", Platform{"linux", "amd64", ""}, "linux/amd64"},
		{"linux/aarch64", Platform{"linux", "arm64", ""}, "linux/arm64"},
		{"linux/i386", Platform{"linux", "386", ""}, "linux/386"},
		{"linux/amd64/v3", Platform{"linux", "amd64", "v3"}, "linux/amd64/v3"},
		{"Windows/AMD64", Platform{"windows", "amd64", ""}, "windows/amd64"},
		{"wasip1/wasm", Platform{"wasip1", "wasm", ""}, "wasip1/wasm"},
		{"unknown/unknown", Platform{"unknown", "unknown", ""}, "unknown/unknown"},
		{"all", Platform{}, "all"},
	}
	for _, tt := range tests {
		got, err := ParsePlatform(tt.in)
		if err != nil || got != tt.want || got.String() != tt.text {
			t.Errorf("ParsePlatform(%q) = %+v, %v, which prints %q", tt.in, got, err, got)
		}
	}
}

func TestParsePlatformError(t *testing.T) {
	for in, suggestion := range map[string]string{
		"":                        "",
		"linux":                   "",
		"amd64":                   "linux/amd64",
		"X86_64":                  "linux/amd64",
		"arm/v7":                  "linux/arm/v7",
		"amd64/windows":           "windows/amd64",
		"linux/":                  "",
		"/amd64":                  "",
		"linux//v7":               "",
		"linux/arm/v7/":           "",
		"linux/arm/v7/x":          "",
		"linux/amd64,linux/arm64": "",
		"windows/amd64:10.0":      "",
		"linux / amd64":           "",
	} {
		got, err := ParsePlatform(in)
		invalid, ok := errors.AsType[*ReferenceError](err)
		if !ok || invalid.Reference != in || invalid.Suggestion != suggestion {
			t.Errorf("ParsePlatform(%q) = %v, %#v, want suggestion %q", in, got, err, suggestion)
		}
	}
}

func TestParsePlatforms(t *testing.T) {
	for want, in := range map[string][]string{
		"[linux/amd64 linux/arm/v7 linux/arm64]": {"linux/arm64/v8", "linux/arm/v7", "linux/x86_64", "linux/arm64"},
		"[]":                                     {"linux/amd64", "all"},
	} {
		if got, err := ParsePlatforms(in); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%q: got %s, %v, want %s", in, got, err, want)
		}
	}
	if got, err := ParsePlatforms(nil); got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := ParsePlatforms([]string{"linux/amd64", "linux"}); err == nil {
		t.Error("linux is accepted")
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		asked                     string
		os, architecture, variant string
		want                      bool
	}{
		{"linux/amd64", "linux", "amd64", "", true},
		{"linux/amd64", "linux", "amd64", "v3", true},
		{"linux/amd64", "linux", "x86_64", "", true},
		{"linux/amd64", "linux", "arm64", "", false},
		{"linux/amd64", "windows", "amd64", "", false},
		{"linux/amd64", "unknown", "unknown", "", false},
		{"linux/amd64/v3", "linux", "amd64", "v3", true},
		{"linux/amd64/v3", "linux", "amd64", "", false},
		{"linux/arm64", "linux", "arm64", "v8", true},
		{"linux/arm64/v8", "linux", "arm64", "", true},
		{"linux/arm64/v8", "linux", "arm64", "v8", true},
		{"linux/arm64/v8", "linux", "arm64", "v9", false},
		{"linux/arm64", "linux", "arm64", "v9", true},
		{"linux/arm64/v9", "linux", "arm64", "v8", false},
		{"linux/amd64/v1", "linux", "amd64", "", true},
		{"linux/amd64/v1", "linux", "amd64", "v3", false},
		{"linux/arm/v7", "linux", "arm", "v7", true},
		{"linux/arm/v7", "linux", "arm", "v6", false},
		{"linux/arm/v7", "linux", "arm", "", true},
		{"linux/arm/v6", "linux", "arm", "", false},
		{"linux/arm", "linux", "arm", "v5", true},
		{"linux/arm", "linux", "arm64", "", false},
		{"all", "linux", "s390x", "", true},
		{"all", "", "", "", true},
		{"linux/amd64", "", "", "", false},
	}
	for _, tt := range tests {
		p, err := ParsePlatform(tt.asked)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Matches(tt.os, tt.architecture, tt.variant); got != tt.want {
			t.Errorf("%s matches %s/%s/%s: %v", tt.asked, tt.os, tt.architecture, tt.variant, got)
		}
	}
	if !(Platform{"linux", "aarch64", "v8"}).Matches("linux", "arm64", "") {
		t.Error("one that was not parsed does not match")
	}
}
