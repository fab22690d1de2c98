package clientconfig

import (
	"cmp"
	"fmt"
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
		rewrites, place := g.rewrites()
		if refusal := g.nested("k3s"); refusal != nil {
			refusals = append(refusals, refusal)
		}
		if g.registry == r.Mirror.Host && len(rewrites) > 0 {
			refusals = append(refusals, sameHost("k3s", g.registry))
		}
		fmt.Fprintf(&b, "  %q:\n    endpoint:\n      - %q\n", g.registry, r.Mirror.url())
		places[place] = append(places[place], g.registry)
		if place == "" && len(rewrites) > 0 {
			c.note("what is not mirrored of %s is looked for in %s under its own name first, at the root", g.registry, r.Mirror.Host)
		}
		if len(rewrites) > 0 {
			b.WriteString("    rewrite:\n      " + strings.Join(rewrites, "\n      ") + "\n")
		}
	}
	c.shared(places)
	r.k3sTLS(&b, c)
	c.Files = append([]File{{Name: "registries.yaml", Content: []byte(b.String())}}, c.Files...)
	return c, collect(refusals)
}

// sameHost refuses what would have to be rewritten on the way to where it would go
// anyway: that way is the fallback, which has no rewrites.
func sameHost(runtime, registry string) *Refusal {
	return &Refusal{
		Runtime: runtime, Subject: registry,
		Reason: "is both a source and the mirror, and it rewrites nothing on the way to a registry itself",
		Hint:   "have clients name what is in the mirror, or mirror to another registry",
	}
}

func (r Request) k3sTLS(b *strings.Builder, c *Config) {
	begun := false
	for i, registry := range r.registries() {
		if registry.authority() == nil && (registry.PlainHTTP || !registry.Insecure) {
			continue
		}
		if !begun {
			b.WriteString("configs:\n")
			begun = true
		}
		fmt.Fprintf(b, "  %q:\n    tls:\n", registry.Host)
		if ca := registry.authority(); ca != nil {
			name := caFile
			if i > 0 {
				name = hostFolder(registry.Host) + "-ca.pem"
			}
			fmt.Fprintf(b, "      ca_file: %q\n", c.Folder+"/"+name)
			c.add(name, string(ca))
		}
		if registry.Insecure {
			b.WriteString("      insecure_skip_verify: true\n")
		}
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
	// Not \. for a dot: k3s puts the expression into a string of TOML as it is.
	path := strings.ReplaceAll(r.Path, ".", "[.]")
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
