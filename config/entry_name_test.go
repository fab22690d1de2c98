package config

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestParseEntryName(t *testing.T) {
	d := digest.FromString("an image")
	for name, want := range map[string]Reference{
		"ghcr.io/acme/app:v1":            {Registry: "ghcr.io", Repository: "acme/app", Tag: "v1"},
		"localhost:5000/app:v1":          {Registry: "localhost:5000", Repository: "app", Tag: "v1"},
		"ghcr.io/acme/app@" + d.String(): {Registry: "ghcr.io", Repository: "acme/app", Digest: d},
		"v1":                             {Tag: "v1"},
		"sha256-" + d.Encoded() + ".sig": {Tag: "sha256-" + d.Encoded() + ".sig"},
	} {
		got, ok := ParseEntryName(name)
		if !ok || got != want {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
		if again := got.EntryName(); want.Registry != "" && again != name {
			t.Errorf("%s became %s", name, again)
		}
	}
	for _, name := range []string{"", "ghcr.io/acme/app", "app:v1", "a tag", "no/reference", strings.Repeat("x", 129)} {
		if got, ok := ParseEntryName(name); ok {
			t.Errorf("%q: %+v", name, got)
		}
	}
}
