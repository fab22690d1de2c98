package config

import (
	"errors"
	"strings"
	"testing"
)

func TestParseTarget(t *testing.T) {
	tests := []struct {
		in     string
		joined string // with a/b
	}{
		{"registry.corp.example", "a/b"},
		{"registry.corp.example/mirror", "mirror/a/b"},
		{"localhost/x/y", "x/y/a/b"},
		{"localhost:5000", "a/b"},
		{"[::1]:5000/x", "x/a/b"},
	}
	for _, tt := range tests {
		got, err := ParseTarget(tt.in)
		if got.ExistingTags != ExistingOverwrite || got.PlatformMode != PlatformsKeep {
			t.Errorf("%s: %+v, want the defaults", tt.in, got)
		}
		if err != nil || got.String() != tt.in || got.Join("a/b") != tt.joined {
			t.Errorf("ParseTarget(%q) = %v, %v, joins to %q, want %q", tt.in, got, err, got.Join("a/b"), tt.joined)
		}
	}
}

func TestParseTargetError(t *testing.T) {
	tests := []struct{ in, reason, suggestion string }{
		{"", "empty", ""},
		{"mirror", "no registry", ""},
		{"mirror/x", "no registry", ""},
		{"https://a.example", "scheme", "a.example"},
		{"a.example/", "no namespace", "a.example"},
		{"a.example/x/", "invalid repository", "a.example/x"},
		{"a.example/X", "upper case", "a.example/x"},
		{"a.example/x:v1", "cannot have a tag or a digest", "a.example/x"},
		{"a.example/x@" + someSHA256, "cannot have a tag or a digest", "a.example/x"},
		{"a.example:0/x", "port", ""},
		{"a.example/x y", "white space", ""},
	}
	for _, tt := range tests {
		got, err := ParseTarget(tt.in)
		invalid, ok := errors.AsType[*ReferenceError](err)
		if !ok {
			t.Errorf("ParseTarget(%q) = %v, %v, want a *ReferenceError", tt.in, got, err)
			continue
		}
		if !strings.Contains(invalid.Reason, tt.reason) || invalid.Suggestion != tt.suggestion {
			t.Errorf("ParseTarget(%q): %#v, want reason %q, suggestion %q", tt.in, invalid, tt.reason, tt.suggestion)
		}
	}
}

func TestChecks(t *testing.T) {
	if err := CheckRepository("a/b-c.d_e"); err != nil {
		t.Error(err)
	}
	if CheckRepository("a/B") == nil || CheckRepository(strings.Repeat("a", 256)) == nil {
		t.Error("an invalid repository is accepted")
	}
	if err := CheckTag("v1.0_x-Y"); err != nil {
		t.Error(err)
	}
	if CheckTag("") == nil || CheckTag("a/b") == nil {
		t.Error("an invalid tag is accepted")
	}
}

func TestTargetCheckRepository(t *testing.T) {
	for _, tt := range []struct{ registry, path, want string }{
		{"registry.corp.example", "a", ""},
		{"registry.corp.example", "a/b/c/d/e/f/g/h", ""},
		{"registry.corp.example", "a/B", "upper case"},
		{"registry.corp.example", strings.Repeat("a/", 128) + "b", "257 characters"},
		{"docker.io", "acme/app", ""},
		{"docker.io", "app", "a repository of docker.io must be NAMESPACE/NAME"},
		{"docker.io", "acme/team/app", "a repository of docker.io must be NAMESPACE/NAME"},
		{"registry-1.docker.io", "acme/team/app", "must be NAMESPACE/NAME"},
		{"docker.io.corp.example", "app", ""},
		{"ghcr.io", "app", "must be OWNER/NAME or deeper"},
		{"ghcr.io", "acme/team/app", ""},
		{"GHCR.io", "app", "must be OWNER/NAME"},
		{"eu.gcr.io", "app", "must be PROJECT/NAME or deeper"},
		{"europe-docker.pkg.dev", "project/app", "must be PROJECT/REPOSITORY/NAME or deeper"},
		{"europe-docker.pkg.dev:443", "project/app", "must be PROJECT/REPOSITORY/NAME"},
		{"europe-docker.pkg.dev", "project/images/team/app", ""},
		{"pkg.dev.corp.example", "a", ""},
	} {
		err := Target{Registry: tt.registry}.CheckRepository(tt.path)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s/%s: %v, want %q", tt.registry, tt.path, err, tt.want)
		}
	}
}
