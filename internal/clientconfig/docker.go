package clientconfig

import (
	"encoding/json"
	"strings"
)

// docker writes a daemon.json. The daemon has mirrors only for Docker Hub, and a mirror
// is a host without a path: see dockerd(8), registry-mirrors.
func docker(r Request) (*Config, error) {
	var refusals []*Refusal
	for _, g := range groups(r.Routes) {
		if refusal := dockerRefusal(g); refusal != nil {
			refusals = append(refusals, refusal)
		}
	}
	if len(refusals) > 0 {
		return nil, collect(refusals)
	}
	daemon := map[string][]string{"registry-mirrors": {r.Mirror.url()}}
	if r.Mirror.unverified() {
		daemon["insecure-registries"] = []string{r.Mirror.Host}
	}
	content, err := json.MarshalIndent(daemon, "", "  ")
	if err != nil {
		return nil, err
	}
	c := &Config{Folder: "/etc/docker"}
	c.add("daemon.json", string(content)+"\n")
	if ca := r.Mirror.authority(); ca != nil {
		c.add("certs.d/"+r.Mirror.Host+"/ca.crt", string(ca))
	}
	return c, nil
}

func dockerRefusal(g group) *Refusal {
	prefix, refusal := g.prefix("docker")
	switch {
	case g.registry != "docker.io":
		return &Refusal{
			Runtime: "docker", Subject: g.registry,
			Reason: "the daemon has mirrors only for docker.io",
			Hint:   "containerd and podman have mirrors for every registry; --format docker needs a spec or a target with docker.io only",
		}
	case refusal != nil:
		refusal.Hint = strings.Replace(refusal.Hint, "target: …", "target: \"\"", 1)
		return refusal
	case prefix != "":
		return &Refusal{
			Runtime: "docker", Subject: g.registry,
			Reason: "is below " + prefix + " in the mirror, but the daemon takes a mirror only as a host without a path",
			Hint:   "restore it to a target without a namespace and without mappings",
		}
	}
	return nil
}
