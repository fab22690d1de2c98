package clientconfig

import (
	"fmt"
	"regexp"
	"strings"
)

// openshift writes the two resources of config.openshift.io/v1 that tell the nodes of
// a cluster about mirrors: one for pulls by digest, one for pulls by tag. A source is a
// prefix of a name, and the mirror replaces it.
func openshift(r Request) (*Config, error) {
	var refusals []*Refusal
	for _, registry := range r.registries() {
		if !hostName.MatchString(registry.Host) {
			refusals = append(refusals, &Refusal{Runtime: "openshift", Subject: registry.Host, Reason: "is not a host name that it accepts: only letters, digits, hyphens and dots"})
		}
	}
	c := &Config{}
	var b strings.Builder
	b.WriteString(header("oc apply -f " + openshiftFile))
	r.mirrorSet(&b, "ImageDigestMirrorSet", "imageDigestMirrors")
	b.WriteString("---\n")
	r.mirrorSet(&b, "ImageTagMirrorSet", "imageTagMirrors")
	c.add(openshiftFile, b.String())
	for _, registry := range r.registries() {
		if registry.unverified() {
			c.note("add %s to spec.registrySources.insecureRegistries of image.config.openshift.io/cluster", registry.Host)
		}
		if registry.authority() != nil {
			c.note("add the certificate authority of %s to spec.additionalTrustedCA of image.config.openshift.io/cluster", registry.Host)
		}
	}
	c.noteOverlaps(r.Routes)
	return c, collect(refusals)
}

// hostName is the part of the API's pattern that stands before a path.
var hostName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*(:[0-9]+)?$`)

const openshiftFile = "image-mirror-sets.yaml"

func (r Request) mirrorSet(b *strings.Builder, kind, key string) {
	fmt.Fprintf(b, "apiVersion: config.openshift.io/v1\nkind: %s\nmetadata:\n  name: oras-mirror\nspec:\n  %s:\n", kind, key)
	for _, route := range r.Routes {
		fmt.Fprintf(b, "    - source: %q\n      mirrors:\n        - %q\n", route.Name(), join(r.Mirror.Host, route.Location))
	}
}
