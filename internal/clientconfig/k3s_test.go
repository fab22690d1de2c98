package clientconfig

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/config"
)

// k3sNode holds the keys of a registries.yaml, as in docs.k3s.io, "Private Registry
// Configuration".
type k3sNode struct {
	Mirrors map[string]struct {
		Endpoint []string          `yaml:"endpoint"`
		Rewrite  map[string]string `yaml:"rewrite"`
	} `yaml:"mirrors"`
	Configs map[string]struct {
		TLS struct {
			CAFile   string `yaml:"ca_file"`
			Insecure bool   `yaml:"insecure_skip_verify"`
		} `yaml:"tls"`
	} `yaml:"configs"`
}

func readK3s(t *testing.T, files map[string][]byte) runtime {
	t.Helper()
	var node k3sNode
	decoder := yaml.NewDecoder(bytes.NewReader(files["registries.yaml"]))
	decoder.KnownFields(true)
	if err := decoder.Decode(&node); err != nil {
		t.Fatal(err)
	}
	for name, c := range node.Configs {
		if ca := c.TLS.CAFile; ca != "" && files[strings.TrimPrefix(ca, "/etc/rancher/k3s/")] == nil {
			t.Errorf("%s names %s, which is not there", name, ca)
		}
	}
	return node
}

// pulls applies the rules in no order, so that no two may match. k3s copies them into a
// hosts.toml between double quotes, unescaped.
func (node k3sNode) pulls(t *testing.T, ref config.Reference) (scheme, at string) {
	t.Helper()
	mirror := node.Mirrors[ref.Registry]
	name, held := ref.Repository, 0
	for expression, replacement := range mirror.Rewrite {
		var quoted map[string]string
		if err := toml.Unmarshal([]byte("\""+expression+"\" = \""+replacement+"\""), &quoted); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
		rule := regexp.MustCompile(expression)
		if rule.MatchString(ref.Repository) {
			held++
			name = rule.ReplaceAllString(ref.Repository, replacement)
		}
	}
	if len(mirror.Endpoint) != 1 || held > 1 {
		t.Fatalf("%s: %+v", ref, mirror)
	}
	u, err := url.Parse(mirror.Endpoint[0])
	if err != nil || u.Path != "" {
		t.Fatalf("%s: %v", mirror.Endpoint[0], err)
	}
	return u.Scheme, u.Host + "/" + name
}
