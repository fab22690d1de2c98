package clientconfig

import (
	"fmt"
	"strings"
)

// openshift writes the two resources of config.openshift.io/v1 that tell the
// nodes of a cluster about mirrors: one for pulls by digest, one for pulls by
// tag. A source is a prefix, and what stands in for it takes its place.
func openshift(r Request) (*Config, error) {
	var refusals []*Refusal
	for _, name := range append(names(r.Routes), r.Mirror.Host) {
		if strings.HasPrefix(name, "[") {
			refusals = append(refusals, &Refusal{Runtime: "openshift", Subject: name, Reason: "an IPv6 address is neither a source nor a mirror to it"})
		}
	}
	c := &Config{}
	var b strings.Builder
	b.WriteString(header("oc apply -f " + openshiftFile))
	r.mirrorSet(&b, "ImageDigestMirrorSet", "imageDigestMirrors")
	b.WriteString("---\n")
	r.mirrorSet(&b, "ImageTagMirrorSet", "imageTagMirrors")
	c.add(openshiftFile, b.String())
	if r.Mirror.PlainHTTP || r.Mirror.Insecure {
		c.note("the cluster must have %s in spec.registrySources.insecureRegistries of image.config.openshift.io/cluster", r.Mirror.Host)
	}
	if r.Mirror.CA != nil {
		c.note("the cluster must know the authority of %s: spec.additionalTrustedCA of image.config.openshift.io/cluster", r.Mirror.Host)
	}
	return c, collect(refusals)
}

const openshiftFile = "image-mirror-sets.yaml"

func names(routes []Route) []string {
	var all []string
	for _, r := range routes {
		all = append(all, r.Name())
	}
	return all
}

func (r Request) mirrorSet(b *strings.Builder, kind, key string) {
	fmt.Fprintf(b, "apiVersion: config.openshift.io/v1\nkind: %s\nmetadata:\n  name: oras-mirror\nspec:\n  %s:\n", kind, key)
	for _, route := range r.Routes {
		fmt.Fprintf(b, "    - source: %q\n      mirrors:\n        - %q\n", route.Name(), join(r.Mirror.Host, route.Location))
	}
}
