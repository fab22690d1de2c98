package draft

import (
	"fmt"
	"math"
)

// Registry has the settings of a registry.
type Registry struct {
	Name        string
	PlainHTTP   bool
	Insecure    bool
	Concurrency int
	PerSecond   float64
	Mirrors     []string
}

// IsDefault reports whether the registry has no settings.
func (g Registry) IsDefault() bool {
	return !g.PlainHTTP && !g.Insecure && g.Concurrency == 0 && g.PerSecond == 0 && len(g.Mirrors) == 0
}

// text returns the settings as a YAML value.
func (g Registry) text() string {
	f := fields{{"registry", quote(g.Name)}}
	if g.PlainHTTP {
		f.put("plainHTTP", "true")
	}
	if g.Insecure {
		f.put("insecure", "true")
	}
	if g.Concurrency > 0 {
		f.put("concurrency", fmt.Sprint(g.Concurrency))
	}
	if g.PerSecond > 0 && !math.IsInf(g.PerSecond, 0) {
		f.put("requestsPerSecond", fmt.Sprint(g.PerSecond))
	}
	if len(g.Mirrors) > 0 {
		f.put("mirrors", quoteAll(g.Mirrors))
	}
	return f.String()
}
