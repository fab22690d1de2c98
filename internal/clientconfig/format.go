package clientconfig

import (
	"fmt"
	"slices"
)

// Write makes the configuration of a runtime: containerd, podman, openshift, k3s or
// docker. The error joins a [*Refusal] for each thing that the runtime cannot express.
func Write(format string, r Request) (*Config, error) {
	write, ok := map[string]func(Request) (*Config, error){
		"containerd": containerd,
		"podman":     podman,
		"openshift":  openshift,
		"k3s":        k3s,
		"docker":     docker,
	}[format]
	if !ok {
		return nil, fmt.Errorf("unknown format %q", format)
	}
	if len(r.Routes) == 0 {
		return nil, &Refusal{Subject: r.Mirror.Host, Reason: "nothing is mirrored to it"}
	}
	c, err := write(r)
	if err == nil {
		c.warn(r)
		slices.Sort(c.Notes)
	}
	return c, err
}
