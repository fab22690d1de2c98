package clientconfig

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// containerd writes a hosts.toml for each registry. See containerd's
// docs/hosts.md. It sends whatever is in a registry to one place of the mirror,
// under its whole name, and to the registry itself what is not there.
func containerd(r Request) (*Config, error) {
	c := &Config{Folder: "/etc/containerd"}
	var refusals []*Refusal
	places := make(map[string][]string)
	for _, g := range groups(r.Routes) {
		prefix, refusal := g.prefix("containerd")
		if refusal != nil {
			refusals = append(refusals, refusal)
			continue
		}
		places[prefix] = append(places[prefix], g.registry)
		folder := "certs.d/" + hostFolder(g.registry)
		c.add(folder+"/hosts.toml", r.hosts(g.registry, prefix))
		for name, registry := range map[string]Registry{caFile: r.Mirror, sourceCAFile: r.source(g.registry)} {
			if ca := registry.authority(); ca != nil {
				c.add(folder+"/"+name, string(ca))
			}
		}
	}
	slices.SortFunc(c.Files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	c.shared(places)
	return c, collect(refusals)
}

// Names of certificates beside a hosts.toml.
const (
	caFile       = "mirror-ca.pem"
	sourceCAFile = "source-ca.pem"
)

// hostFolder is how containerd looks for a registry on every system: a colon is
// not allowed in the names of some.
func hostFolder(host string) string {
	at := strings.LastIndex(host, ":")
	if at < 0 || strings.HasSuffix(host, "]") {
		return host
	}
	return host[:at] + "_" + host[at+1:] + "_"
}

// hosts is one hosts.toml. With override_path the URL is what takes the place of
// /v2 and the name comes behind it.
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

// trust says whose certificates are believed. Of plain http it says nothing: containerd
// would try https first. Beside a hosts.toml it does not look for certificates itself.
func (r Registry) trust(b *strings.Builder, indent, name string) {
	if r.authority() != nil {
		fmt.Fprintf(b, "%sca = %q\n", indent, name) // relative to this file
	}
	if r.Insecure && !r.PlainHTTP {
		fmt.Fprintf(b, "%sskip_verify = true\n", indent)
	}
}
