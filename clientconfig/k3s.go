package clientconfig

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// k3s writes a registries.yaml, for k3s and RKE2. See docs.k3s.io, "Private
// Registry Configuration". A rewrite is an expression and what takes its place.
func k3s(r Request) (*Config, error) {
	c := &Config{Folder: "/etc/rancher/k3s"}
	var b strings.Builder
	var refusals []*Refusal
	places := make(map[string][]string)
	b.WriteString(header("RKE2 reads it as /etc/rancher/rke2/registries.yaml."))
	b.WriteString("mirrors:\n")
	for _, g := range groups(r.Routes) {
		if refusal := g.nested("k3s"); refusal != nil {
			refusals = append(refusals, refusal)
		}
		fmt.Fprintf(&b, "  %q:\n    endpoint:\n      - %q\n", g.registry, r.Mirror.url())
		rewrites, place := g.rewrites()
		places[place] = append(places[place], g.registry)
		if len(rewrites) > 0 {
			b.WriteString("    rewrite:\n      " + strings.Join(rewrites, "\n      ") + "\n")
		}
	}
	c.shared(places)
	if r.Mirror.CA != nil || r.Mirror.Insecure {
		r.k3sTLS(&b, c)
	}
	c.Files = append([]File{{Name: "registries.yaml", Content: []byte(b.String())}}, c.Files...)
	return c, collect(refusals)
}

func (r Request) k3sTLS(b *strings.Builder, c *Config) {
	fmt.Fprintf(b, "configs:\n  %q:\n    tls:\n", r.Mirror.Host)
	if r.Mirror.CA != nil {
		fmt.Fprintf(b, "      ca_file: %s/%s\n", c.Folder, caFile)
		c.add(caFile, string(r.Mirror.CA))
	}
	if r.Mirror.Insecure {
		b.WriteString("      insecure_skip_verify: true\n")
	}
}

// rewrites are the rules of one registry, and the place where the mirror is asked
// for what no rule meets.
func (g group) rewrites() (rules []string, place string) {
	if prefix, refusal := g.prefix(""); refusal == nil {
		if prefix == "" {
			return nil, ""
		}
		return []string{fmt.Sprintf(`'^(.*)$': '%s/$1'`, prefix)}, prefix
	}
	for _, route := range g.routes {
		rules = append(rules, route.rewrite())
	}
	return rules, ""
}

func (r Route) rewrite() string {
	path := regexp.QuoteMeta(r.Path)
	switch {
	case !r.Below:
		return fmt.Sprintf("'^%s$': '%s'", path, r.Location)
	case r.Path == "":
		return fmt.Sprintf("'^(.*)$': '%s'", join(r.Location, "$1"))
	case r.Location == "":
		return fmt.Sprintf("'^%s/(.+)$': '$1'", path)
	}
	return fmt.Sprintf("'^%s(/.*)?$': '%s$1'", path, r.Location)
}

// nested refuses rules of which two could meet one name: k3s takes them in no
// order.
func (g group) nested(runtime string) *Refusal {
	if _, refusal := g.prefix(runtime); refusal == nil {
		return nil
	}
	for _, outer := range g.routes {
		for _, inner := range g.routes {
			if _, below := under(inner.Path, outer.Path); outer.Below && below && inner != outer {
				return &Refusal{
					Runtime: runtime, Subject: inner.Name(),
					Reason: "goes to " + inner.Location + ", all else of " + outer.Name() + " to " + cmp.Or(outer.Location, "the root of the mirror") + ", and it has no order among its rewrites",
					Hint:   "name the repositories as sources instead of the whole registry",
				}
			}
		}
	}
	return nil
}
