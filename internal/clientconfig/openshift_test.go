package clientconfig

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"regexp"
	"testing"

	"gopkg.in/yaml.v3"
)

// mirrorSet holds the keys of both resources, as in github.com/openshift/api, config/v1.
type mirrorSet struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Digests []mirrors `yaml:"imageDigestMirrors"`
		Tags    []mirrors `yaml:"imageTagMirrors"`
	} `yaml:"spec"`
}

type mirrors struct {
	Source  string   `yaml:"source"`
	Mirrors []string `yaml:"mirrors"`
}

// admitted is the API's pattern for mirrors, and for sources without a wildcard.
var admitted = regexp.MustCompile(`^((?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))+)?(?::[0-9]+)?)(?:(?:/[a-z0-9]+(?:(?:(?:[._]|__|[-]*)[a-z0-9]+)+)?)+)?$`)

func readOpenShift(t *testing.T, files map[string][]byte) runtime {
	t.Helper()
	byKind := make(map[string]prefixes)
	decoder := yaml.NewDecoder(bytes.NewReader(files[openshiftFile]))
	decoder.KnownFields(true)
	for {
		var set mirrorSet
		err := decoder.Decode(&set)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || set.APIVersion != "config.openshift.io/v1" || set.Metadata.Name == "" || (len(set.Spec.Tags) == 0) == (len(set.Spec.Digests) == 0) {
			t.Fatalf("%v: %+v", err, set)
		}
		p := make(prefixes)
		for _, m := range append(set.Spec.Digests, set.Spec.Tags...) {
			if len(m.Mirrors) != 1 || !admitted.MatchString(m.Source) || !admitted.MatchString(m.Mirrors[0]) {
				t.Fatalf("%+v", m)
			}
			p.add(t, m.Source, m.Mirrors[0])
		}
		byKind[set.Kind] = p
	}
	digests, tags := byKind["ImageDigestMirrorSet"], byKind["ImageTagMirrorSet"]
	if len(byKind) != 2 || len(digests) == 0 || !maps.Equal(digests, tags) {
		t.Fatalf("%v", byKind)
	}
	return tags
}
