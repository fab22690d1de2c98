package config

import (
	"strings"
	"testing"
)

var hubNames = []string{"docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "Index.Docker.io", "registry-1.docker.io:443"}

// TestDockerHubNames uses each name of Docker Hub wherever a registry can be written.
func TestDockerHubNames(t *testing.T) {
	for _, name := range hubNames {
		for text, want := range map[string]string{"/alpine:3": "docker.io/library/alpine:3", "/library/alpine": "docker.io/library/alpine", "/a/b@" + someSHA256: "docker.io/a/b@" + someSHA256} {
			if ref, err := ParseReference(name + text); err != nil || ref.String() != want {
				t.Errorf("%s: %s, %v, want %s", name+text, ref, err, want)
			}
		}
		if target, err := ParseTarget(name + "/me"); err != nil || target.String() != "docker.io/me" {
			t.Errorf("target %s: %s, %v", name, target, err)
		}
		if err := (Target{Registry: name}).CheckRepository("a/b/c"); err == nil {
			t.Errorf("%s takes a path of three parts", name)
		}
		m, err := ParseMapping(name + "/library=hub")
		if err != nil {
			t.Fatal(err)
		}
		for _, mapping := range []Mapping{m, {Source: name + "/library", Target: "hub"}, {SourcePattern: strings.ReplaceAll(strings.ToLower(name), ".", `\.`) + "/library/(.+)", Target: "hub/${1}"}} {
			if mapping.SourcePattern != "" && strings.HasSuffix(name, ":443") {
				continue // a pattern is used as written
			}
			mapper, err := NewMapper([]Mapping{mapping})
			if err != nil {
				t.Fatal(err)
			}
			if got, _, _, err := mapper.Map(Reference{Registry: "docker.io", Repository: "library/alpine", Tag: "3"}); err != nil || got != "hub/alpine" {
				t.Errorf("%+v: %s, %v", mapping, got, err)
			}
		}
		spec, err := Parse("mirror.yaml", []byte("apiVersion: "+APIVersion+"\nkind: "+Kind+"\nregistries: [{registry: \""+name+"\", concurrency: 3}]\n"+
			"sources: [\""+name+"/alpine:3\", {repository: \""+name+"/a/b\"}, {registry: \""+name+"\"}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		all, err := spec.Selections()
		if err != nil || all[0].Reference.Registry != "docker.io" || all[1].Reference.Registry != "docker.io" || all[2].Registry != "docker.io" {
			t.Errorf("%s: selections %+v, %v", name, all, err)
		}
		for _, host := range hubNames {
			if r, err := spec.Registry(host); err != nil || r.Concurrency != 3 {
				t.Errorf("settings of %s by the name %s: %+v, %v", name, host, r, err)
			}
		}
	}
	_, err := Parse("mirror.yaml", []byte("apiVersion: "+APIVersion+"\nkind: "+Kind+"\nregistries: [{registry: docker.io}, {registry: index.docker.io}]\nsources: [docker.io/a/b:c]\n"))
	if err == nil || !strings.Contains(err.Error(), "already listed") {
		t.Errorf("two settings of one registry: %v", err)
	}
	if ref, err := ParseReference("index.docker.io:5000/alpine:3"); err != nil || ref.Registry != "index.docker.io:5000" {
		t.Errorf("another port: %v, %v", ref, err)
	}
}
