package clientconfig

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// containerd writes a hosts.toml for each registry (containerd's docs/hosts.md).
// containerd asks for everything of a registry below one path of the mirror, under its
// whole name, and asks the registry itself for what the mirror does not have.
func containerd(r Request) (*Config, error) {
	c := &Config{Folder: "/etc/containerd"}
	var refusals []*Refusal
	registries := make(map[string][]string) // by their path in the mirror
	for _, g := range groups(r.Routes) {
		prefix, refusal := g.prefix("containerd")
		if refusal != nil {
			refusals = append(refusals, refusal)
			continue
		}
		registries[prefix] = append(registries[prefix], g.registry)
		folder := "certs.d/" + hostFolder(g.registry)
		c.add(folder+"/hosts.toml", r.hosts(g.registry, prefix))
		for name, registry := range map[string]Registry{caFile: r.Mirror, sourceCAFile: r.source(g.registry)} {
			if ca := registry.authority(); ca != nil {
				c.add(folder+"/"+name, string(ca))
			}
		}
	}
	slices.SortFunc(c.Files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	c.noteShared(registries)
	return c, collect(refusals)
}

// The names of the certificates beside a hosts.toml.
const (
	caFile       = "mirror-ca.pem"
	sourceCAFile = "source-ca.pem"
)

// hostFolder returns the folder of a registry that containerd reads on every system:
// some do not allow a colon in names.
func hostFolder(host string) string {
	colon := strings.LastIndex(host, ":")
	if colon < 0 || strings.HasSuffix(host, "]") {
		return host
	}
	return host[:colon] + "_" + host[colon+1:] + "_"
}

// hosts returns the hosts.toml of a registry. With override_path containerd puts the
// name behind the URL, without a /v2 between them.
func (r Request) hosts(registry, prefix string) string {
	var b strings.Builder
	b.WriteString(header("containerd reads it if config_path of its registry plugin is /etc/containerd/certs.d."))
	source := r.source(registry)
	upstream := cmp.Or(map[string]string{"docker.io": "registry-1.docker.io"}[registry], registry)
	fmt.Fprintf(&b, "server = %q\n", scheme(source.PlainHTTP)+upstream)
	source.trust(&b, "", sourceCAFile)
	url := r.Mirror.url()
	if prefix != "" {
		url += "/v2/" + prefix
	}
	fmt.Fprintf(&b, "\n[host.%q]\n", url)
	b.WriteString("  capabilities = [\"pull\", \"resolve\"]\n")
	if prefix != "" {
		b.WriteString("  override_path = true\n")
	}
	r.Mirror.trust(&b, "  ", caFile)
	return b.String()
}

// trust writes how containerd verifies a registry. For plain http it writes nothing:
// containerd would try https first. Where there is a hosts.toml containerd does not look
// for certificates itself.
func (r Registry) trust(b *strings.Builder, indent, name string) {
	if r.authority() != nil {
		fmt.Fprintf(b, "%sca = %q\n", indent, name) // relative to this file
	}
	if r.Insecure && !r.PlainHTTP {
		fmt.Fprintf(b, "%sskip_verify = true\n", indent)
	}
}
