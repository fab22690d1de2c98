package clientconfig

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/rogpeppe/go-internal/txtar"

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

func strictTOML(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(into); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
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
