package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

// between names the registries that an artifact comes from and goes to.
type between struct{ registry, target string }

// betweenOf returns the registries of an artifact.
func betweenOf(a engine.ArtifactReport) between {
	return between{registryOf(a.Reference), registryOf(a.Target)}
}

// registryOf returns the registry in a reference, or in the name of a repository or a registry
// that could not be listed; "" for a bare tag.
func registryOf(name string) string {
	host, _, _ := strings.Cut(name, "/")
	if ref, err := config.ParseReference(name); err == nil {
		host = ref.Registry
	} else if host != "localhost" && !strings.ContainsAny(host, ".:") {
		return ""
	}
	if len(host) > maxHost {
		return otherRegistries
	}
	return host
}

// maxPairs bounds the pairs of registries with metrics of their own: a bundle of others may name
// 100,000 registries, and Prometheus keeps every pair that it ever saw.
const maxPairs = 1000

// maxHost bounds the name of a registry: 253 bytes of a host, and a port.
const maxHost = 253 + len(":65535")

// otherRegistries is the label of the registries beyond maxPairs and maxHost. No registry has such a name.
const otherRegistries = "other"

// folding returns the pair under which the metrics of a pair are written: most of them their own,
// but beyond maxPairs, in the order of their names, one for each target.
func folding[V any](all map[between]V) func(between) between {
	if len(all) <= maxPairs {
		return func(at between) between { return at }
	}
	last := slices.SortedFunc(maps.Keys(all), between.compare)[maxPairs-1]
	return func(at between) between {
		if at.compare(last) > 0 {
			at.registry = otherRegistries
		}
		return at
	}
}

// folded sums the values of the pairs that are written under one.
func folded[V any](all map[between]V, fold func(between) between, sum func(a, b V) V) map[between]V {
	few := make(map[between]V)
	for at, value := range all {
		at = fold(at)
		few[at] = sum(few[at], value)
	}
	return few
}

func (b between) compare(other between) int {
	return cmp.Or(strings.Compare(b.registry, other.registry), strings.Compare(b.target, other.target))
}
