package clientconfig

import (
	"cmp"
	"fmt"
	"strings"
)

// k3s writes a registries.yaml for k3s and RKE2 (docs.k3s.io, "Private Registry
// Configuration"). A rewrite is a regular expression and its replacement.
func k3s(r Request) (*Config, error) {
	c := &Config{Folder: "/etc/rancher/k3s"}
	var b strings.Builder
	var refusals []*Refusal
	registries := make(map[string][]string) // by their path in the mirror
	b.WriteString(header("RKE2 reads it as /etc/rancher/rke2/registries.yaml."))
	b.WriteString("mirrors:\n")
	for _, g := range groups(r.Routes) {
		rewrites, path := g.rewrites()
		if refusal := g.nested("k3s"); refusal != nil {
			refusals = append(refusals, refusal)
		}
		if g.registry == r.Mirror.Host && len(rewrites) > 0 {
			refusals = append(refusals, sameHost("k3s", g.registry))
		}
		fmt.Fprintf(&b, "  %q:\n    endpoint:\n      - %q\n", g.registry, r.Mirror.url())
		registries[path] = append(registries[path], g.registry)
		if path == "" && len(rewrites) > 0 {
			c.note("artifacts of %s that are not mirrored are first looked for at the root of %s", g.registry, r.Mirror.Host)
		}
		if len(rewrites) > 0 {
			b.WriteString("    rewrite:\n      " + strings.Join(rewrites, "\n      ") + "\n")
		}
	}
	c.noteShared(registries)
	r.k3sTLS(&b, c)
	c.Files = append([]File{{Name: "registries.yaml", Content: []byte(b.String())}}, c.Files...)
	return c, collect(refusals)
}

// sameHost refuses rewrites of a registry that is the mirror, too: k3s asks it as the
// fallback, without rewrites.
func sameHost(runtime, registry string) *Refusal {
	return &Refusal{
		Runtime: runtime, Subject: registry,
		Reason: "is both a source and the mirror, and k3s rewrites no names for a registry itself",
		Hint:   "let clients use the names in the mirror, or mirror to another registry",
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

// rewrites returns the rules of one registry, and the path in the mirror for names that
// no rule matches.
func (g group) rewrites() (rules []string, path string) {
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
	// [.] and not \. for a dot: k3s copies the expression into a TOML string unescaped.
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

// nested refuses rules if two of them can match one name: k3s applies them in no
// particular order.
func (g group) nested(runtime string) *Refusal {
	if _, refusal := g.prefix(runtime); refusal == nil {
		return nil
	}
	for _, outer := range g.routes {
		for _, inner := range g.routes {
			if _, below := under(inner.Path, outer.Path); outer.Below && below && inner != outer {
				return &Refusal{
					Runtime: runtime, Subject: inner.Name(),
					Reason: "goes to " + inner.Location + ", the rest of " + outer.Name() + " to " + cmp.Or(outer.Location, "the root of the mirror") + ", and k3s applies its rewrites in no particular order",
					Hint:   "name the repositories as sources instead of the whole registry",
				}
			}
		}
	}
	return nil
}
