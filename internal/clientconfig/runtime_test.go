package clientconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/config"
)

// formats are the runtimes that Write knows.
var formats = []string{"containerd", "podman", "openshift", "k3s", "docker"}

// runtime is a client that has read a configuration as its documentation describes it.
type runtime interface {
	// pulls returns where a repository is asked for first, as HOST/PATH, and the scheme
	// if the configuration tells it.
	pulls(t *testing.T, ref config.Reference) (scheme, at string)
}

// TestRuntimesPullFromTheMirror writes each spec of testdata for each runtime and reads
// the result with the runtime's own kind of parser. Either it is refused, or every
// repository is pulled from where restore puts it.
func TestRuntimesPullFromTheMirror(t *testing.T) {
	names, _ := filepath.Glob("testdata/*.txtar")
	for _, format := range formats {
		t.Run(format, func(t *testing.T) {
			followed := 0
			for _, name := range names {
				archive, err := txtar.ParseFile(name)
				if err != nil {
					t.Fatal(err)
				}
				t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
					followed += pullAll(t, format, string(archive.Comment), archive.Files[0].Data)
				})
			}
			if followed < 5 {
				t.Errorf("only %d repositories were followed", followed)
			}
		})
	}
}

func pullAll(t *testing.T, format, comment string, text []byte) (followed int) {
	t.Helper()
	r, err := request(t, comment, text)
	var c *Config
	if err == nil {
		c, err = Write(format, r)
	}
	if err != nil {
		refusals(t, err)
		return 0
	}
	client := read(t, format, c)
	spec, _ := config.Parse("mirror.yaml", text)
	mapper, _ := spec.Mapper()
	target, _ := config.ParseTarget(strings.Fields(comment)[1])
	selections, _ := spec.Selections()
	for _, ref := range samples(selections) {
		mapped, _, ok, err := mapper.Map(ref)
		if err != nil || !ok {
			continue
		}
		followed++
		how, at := client.pulls(t, ref)
		if want := r.Mirror.Host + "/" + target.Join(mapped); at != want || how != "" && how+"://" != scheme(r.Mirror.PlainHTTP) {
			t.Errorf("%s is pulled from %s %s, want %s\n%s", ref, how, at, want, c.Files[0].Content)
		}
	}
	return followed
}

func read(t *testing.T, format string, c *Config) runtime {
	t.Helper()
	files := make(map[string][]byte)
	for _, f := range c.Files {
		if files[f.Name] != nil {
			t.Fatalf("%s is written twice", f.Name)
		}
		files[f.Name] = f.Content
	}
	return map[string]func(*testing.T, map[string][]byte) runtime{
		"containerd": readContainerd, "podman": readPodman, "openshift": readOpenShift, "k3s": readK3s, "docker": readDocker,
	}[format](t, files)
}

// hostsFile holds the keys of a hosts.toml, as in containerd's docs/hosts.md.
type hostsFile struct {
	Server     string          `toml:"server"`
	CA         string          `toml:"ca"`
	SkipVerify bool            `toml:"skip_verify"`
	Host       map[string]host `toml:"host"`
}

type host struct {
	Capabilities []string `toml:"capabilities"`
	CA           string   `toml:"ca"`
	SkipVerify   bool     `toml:"skip_verify"`
	OverridePath bool     `toml:"override_path"`
}

func strictTOML(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(into); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}

// containerdNode is the folder certs.d of a node.
type containerdNode map[string]hostsFile

func readContainerd(t *testing.T, files map[string][]byte) runtime {
	t.Helper()
	node := make(containerdNode)
	for name, text := range files {
		folder, base := path.Split(name)
		if base != "hosts.toml" {
			continue
		}
		var h hostsFile
		strictTOML(t, text, &h)
		certificates := []string{h.CA}
		for _, mirror := range h.Host {
			certificates = append(certificates, mirror.CA)
		}
		for _, ca := range certificates {
			if ca != "" && files[folder+ca] == nil {
				t.Errorf("%s names %s, which is not there", name, ca)
			}
		}
		if server, err := url.Parse(h.Server); err != nil || server.Host == "" || server.Path != "" || len(h.Host) != 1 {
			t.Errorf("%s: %+v", name, h)
		}
		node[strings.TrimSuffix(strings.TrimPrefix(folder, "certs.d/"), "/")] = h
	}
	return node
}

// pulls builds the URL as containerd does: it adds /v2 to the path of a host, if it is
// not there or overridden, then the name.
func (node containerdNode) pulls(t *testing.T, ref config.Reference) (scheme, at string) {
	t.Helper()
	folder := ref.Registry
	if at := strings.LastIndex(folder, ":"); at > 0 {
		folder = folder[:at] + "_" + folder[at+1:] + "_"
	}
	h, ok := node[folder]
	if !ok {
		h = node[ref.Registry]
	}
	for address, mirror := range h.Host {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if !mirror.OverridePath && !strings.HasSuffix(u.Path, "/v2") {
			u.Path += "/v2"
		}
		name, ok := strings.CutPrefix(path.Join("/", u.Path, ref.Repository), "/v2/")
		if !ok || strings.Join(mirror.Capabilities, " ") != "pull resolve" {
			t.Errorf("%s: %+v", address, mirror)
		}
		return u.Scheme, u.Host + "/" + name
	}
	return "", ""
}

// registriesFile holds the keys of version 2 of containers-registries.conf(5).
type registriesFile struct {
	Registry []struct {
		Prefix   string     `toml:"prefix"`
		Location string     `toml:"location"`
		Insecure bool       `toml:"insecure"`
		Mirror   []location `toml:"mirror"`
	} `toml:"registry"`
}

type location struct {
	Location string `toml:"location"`
	Insecure bool   `toml:"insecure"`
}

// prefixes maps prefixes of names to the mirrors that replace them: the longest counts
// that ends at a component of the name.
type prefixes map[string]string

func (p prefixes) add(t *testing.T, prefix, location string) {
	t.Helper()
	if prefix == "" || location == "" || p[prefix] != "" || strings.Contains(prefix+location, "//") {
		t.Errorf("%q is mirrored at %q", prefix, location)
	}
	p[prefix] = location
}

func (p prefixes) pulls(t *testing.T, ref config.Reference) (scheme, at string) {
	t.Helper()
	name, found := ref.Registry+"/"+ref.Repository, ""
	for prefix := range p {
		if (name == prefix || strings.HasPrefix(name, prefix+"/")) && len(prefix) > len(found) {
			found = prefix
		}
	}
	return "", p[found] + strings.TrimPrefix(name, found)
}

func readPodman(t *testing.T, files map[string][]byte) runtime {
	t.Helper()
	var all registriesFile
	strictTOML(t, files["registries.conf.d/50-oras-mirror.conf"], &all)
	p := make(prefixes)
	for _, r := range all.Registry {
		if r.Prefix != r.Location || len(r.Mirror) != 1 {
			t.Fatalf("%+v", r)
		}
		p.add(t, r.Prefix, r.Mirror[0].Location)
	}
	return p
}

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

// dockerDaemon holds the keys of a daemon.json, as in dockerd(8).
type dockerDaemon struct {
	Mirrors  []string `json:"registry-mirrors"`
	Insecure []string `json:"insecure-registries"`
}

func readDocker(t *testing.T, files map[string][]byte) runtime {
	t.Helper()
	var daemon dockerDaemon
	decoder := json.NewDecoder(bytes.NewReader(files["daemon.json"]))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&daemon); err != nil {
		t.Fatal(err)
	}
	return daemon
}

// pulls uses mirrors for Docker Hub only, each a host without a path.
func (daemon dockerDaemon) pulls(t *testing.T, ref config.Reference) (scheme, at string) {
	t.Helper()
	if ref.Registry != "docker.io" || len(daemon.Mirrors) != 1 {
		return "", ""
	}
	u, err := url.Parse(daemon.Mirrors[0])
	if err != nil || u.Path != "" {
		t.Fatalf("%s: %v", daemon.Mirrors[0], err)
	}
	return u.Scheme, u.Host + "/" + ref.Repository
}

// TestRuntimesAreAsTheTutorialSays checks the table in docs/tutorial-mirror.md.
func TestRuntimesAreAsTheTutorialSays(t *testing.T) {
	page, err := os.ReadFile("../../docs/tutorial-mirror.md")
	if err != nil {
		t.Fatal(err)
	}
	can := func(format string, routes ...Route) string {
		_, err := Write(format, Request{Mirror: Registry{Host: "registry.corp.example"}, Routes: routes})
		return map[bool]string{true: "yes", false: "no"}[err == nil]
	}
	for _, format := range formats {
		before := can(format, Route{Registry: "docker.io", Path: "library/nginx", Location: "hub/library/nginx"})
		renamed := can(format, Route{Registry: "docker.io", Path: "library/nginx", Location: "web"})
		others := can(format, Route{Registry: "quay.io", Path: "coreos/etcd", Location: "coreos/etcd"})
		row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| `%s` \\| .* \\| %s \\| %s \\| %s \\|$", format, before, renamed, others))
		if !row.Match(page) {
			t.Errorf("docs/tutorial-mirror.md lacks %s", row)
		}
	}
}
