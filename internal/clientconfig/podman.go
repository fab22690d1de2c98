package clientconfig

import (
	"fmt"
	"strings"
)

// podman writes a registries.conf of version 2, as a file of its own, for podman,
// buildah, skopeo and CRI-O (containers-registries.conf(5)). The longest prefix of a name
// counts, and the location of the mirror replaces it.
func podman(r Request) (*Config, error) {
	c := &Config{Folder: "/etc/containers"}
	var b strings.Builder
	b.WriteString(header("podman, buildah, skopeo and CRI-O read it in /etc/containers/registries.conf.d/."))
	for _, route := range r.Routes {
		fmt.Fprintf(&b, "\n[[registry]]\nprefix = %q\nlocation = %[1]q\n", route.Name())
		if r.source(route.Registry).unverified() {
			b.WriteString("insecure = true\n")
		}
		fmt.Fprintf(&b, "\n[[registry.mirror]]\nlocation = %q\n", join(r.Mirror.Host, route.Location))
		if r.Mirror.unverified() {
			b.WriteString("insecure = true\n")
		}
	}
	c.add("registries.conf.d/50-oras-mirror.conf", b.String())
	for _, registry := range r.registries() {
		if ca := registry.authority(); ca != nil {
			c.add("certs.d/"+registry.Host+"/ca.crt", string(ca))
		}
	}
	c.noteOverlaps(r.Routes)
	return c, nil
}
