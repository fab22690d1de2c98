package clientconfig

import (
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
)

// registriesFile holds the keys of version 2 of containers-registries.conf(5).
type registriesFile struct {
	Registry []struct {
		Prefix   string     `toml:"prefix"`
		Location string     `toml:"location"`
		Insecure bool       `toml:"insecure"`
		Mirror   []location `toml:"mirror"`
	} `toml:"registry"`
}

type location struct {
	Location string `toml:"location"`
	Insecure bool   `toml:"insecure"`
}

// prefixes maps prefixes of names to the mirrors that replace them: the longest counts
// that ends at a component of the name.
type prefixes map[string]string

func (p prefixes) add(t *testing.T, prefix, location string) {
	t.Helper()
	if prefix == "" || location == "" || p[prefix] != "" || strings.Contains(prefix+location, "//") {
		t.Errorf("%q is mirrored at %q", prefix, location)
	}
	p[prefix] = location
}

func (p prefixes) pulls(t *testing.T, ref config.Reference) (scheme, at string) {
	t.Helper()
	name, found := ref.Registry+"/"+ref.Repository, ""
	for prefix := range p {
		if (name == prefix || strings.HasPrefix(name, prefix+"/")) && len(prefix) > len(found) {
			found = prefix
		}
	}
	return "", p[found] + strings.TrimPrefix(name, found)
}

func readPodman(t *testing.T, files map[string][]byte) runtime {
	t.Helper()
	var all registriesFile
	strictTOML(t, files["registries.conf.d/50-oras-mirror.conf"], &all)
	p := make(prefixes)
	for _, r := range all.Registry {
		if r.Prefix != r.Location || len(r.Mirror) != 1 {
			t.Fatalf("%+v", r)
		}
		p.add(t, r.Prefix, r.Mirror[0].Location)
	}
	return p
}
