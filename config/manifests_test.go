package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/discover"
)

func TestParseImage(t *testing.T) {
	sum := "@sha256:" + strings.Repeat("1", 64)
	for name, want := range map[string]string{
		"nginx":                       "docker.io/library/nginx:latest",
		"nginx:1.25":                  "docker.io/library/nginx:1.25",
		"grafana/grafana":             "docker.io/grafana/grafana:latest",
		"docker.io/nginx":             "docker.io/library/nginx:latest",
		"index.docker.io/library/a:1": "docker.io/library/a:1",
		"localhost/a":                 "localhost/a:latest",
		"localhost:5000/a/b:1":        "localhost:5000/a/b:1",
		"ghcr.io/acme/app" + sum:      "ghcr.io/acme/app" + sum,
		"ghcr.io/acme/app:v1" + sum:   "ghcr.io/acme/app:v1" + sum,
		"a" + sum:                     "docker.io/library/a" + sum,
	} {
		if r, err := ParseImage(name); err != nil || r.String() != want {
			t.Errorf("%s: got %s, %v, want %s", name, r, err, want)
		}
	}
	for name, want := range map[string]string{
		"":                    `"": empty`,
		"Nginx":               `"Nginx": repository "library/Nginx" has upper case letters`,
		"oci://acme/app":      `"oci://acme/app": a scheme is not allowed here`,
		"nginx ":              `"nginx ": white space is not allowed`,
		"nginx:":              `"nginx:": empty tag`,
		"nginx@sha256:11":     `"nginx@sha256:11": a sha256 digest must have 64 lower case hexadecimal characters`,
		"ghcr.io/acme/<app>":  `"ghcr.io/acme/<app>": invalid repository "acme/<app>": use lower case letters and digits, separated by / . _ __ or -`,
		"registry.example:x/": `"registry.example:x/": invalid port in registry "registry.example:x"`,
	} {
		if _, err := ParseImage(name); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

// folder writes files into a new folder, which becomes the current one.
func folder(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func pod(images ...string) string {
	return "kind: Pod\nspec:\n  containers:\n  - image: " + strings.Join(images, "\n  - image: ") + "\n"
}

// TestKubernetesSources selects the images of files that patterns match.
func TestKubernetesSources(t *testing.T) {
	files := map[string]string{
		"deploy/a.yaml":          pod("a:1"),
		"deploy/b/b.yml":         pod("b:1"),
		"deploy/b/c/c.json":      `{"spec": {"containers": [{"image": "c:1"}]}}`,
		"deploy/b/c/notes.txt":   "notes",
		"deploy/.hidden/d.yaml":  pod("d:1"),
		"deploy/dir.yaml/e.yaml": pod("e:1"),
		"out/f.yaml":             pod("f:1"),
		"[x]/g.yaml":             pod("g:1"),
		"[x]/mirror.yaml":        head + "sources: [{kubernetes: '*.yaml'}]\n",
	}
	for _, test := range []struct{ spec, sources, want string }{
		{"mirror.yaml", "deploy/**/*.yaml", "a:1 deploy/a.yaml:4|e:1 deploy/dir.yaml/e.yaml:4"},
		{"mirror.yaml", "deploy/*.yaml", "a:1 deploy/a.yaml:4"},
		{"mirror.yaml", "deploy", "a:1 deploy/a.yaml:4|b:1 deploy/b/b.yml:4|c:1 deploy/b/c/c.json:1|e:1 deploy/dir.yaml/e.yaml:4"},
		{"mirror.yaml", "deploy/b/c/c.json", "c:1 deploy/b/c/c.json:1"},
		{"mirror.yaml", "'deploy/{a,b/b}.{yaml,yml}'", "a:1 deploy/a.yaml:4|b:1 deploy/b/b.yml:4"},
		{"mirror.yaml", "[deploy/a.yaml, './deploy/*.yaml', deploy/b/*.yml]", "a:1 deploy/a.yaml:4|b:1 deploy/b/b.yml:4"},
		{"mirror.yaml", "deploy/.hidden/*.yaml", "d:1 deploy/.hidden/d.yaml:4"},
		{"mirror.yaml", "link/*.yaml", "f:1 link/f.yaml:4"},
		{"mirror.yaml", "'**/f.yaml'", "f:1 out/f.yaml:4"}, // not through the link
		{"mirror.yaml", "linked.yaml", "a:1 linked.yaml:4"},
		{"mirror.yaml", "'linked.*'", "a:1 linked.yaml:4"},
		{"mirror.yaml", "'\\[x\\]/g.yaml'", "g:1 [x]/g.yaml:4"},
		{"mirror.yaml", "'${DIR_OF_F}/*.yaml'", "f:1 out/f.yaml:4"},
		{"[x]/mirror.yaml", "'*.yaml'", "g:1 g.yaml:4"},
		{"[x]/mirror.yaml", "../out/*", "f:1 ../out/f.yaml:4"},
		{"mirror.yaml", "nothing/*.yaml", "! mirror.yaml:3:24: sources[0].kubernetes: no file matches nothing/*.yaml"},
		{"mirror.yaml", "nothing.yaml", "! mirror.yaml:3:24: sources[0].kubernetes: stat nothing.yaml: no such file or directory"},
		{"mirror.yaml", "[deploy/*.yaml, nothing/*.yaml]", "! mirror.yaml:3:40: sources[0].kubernetes[1]: no file matches nothing/*.yaml"},
		{"mirror.yaml", "'${NO_SUCH}/*.yaml'", "! mirror.yaml:3:24: sources[0].kubernetes: environment variable NO_SUCH is not set"},
		{"mirror.yaml", "deploy/b/c/notes.txt", "! deploy/b/c/notes.txt:1:1: not a manifest: expected a mapping"},
		{"mirror.yaml", "'broken.*'", "! broken.yaml: no such file or directory"},
		{"mirror.yaml", "empty.yaml", "! mirror.yaml:3:24: sources[0].kubernetes: no image in 1 file"},
		{"mirror.yaml", "nothing/*.yaml, optional: true", ""},
		{"mirror.yaml", "nothing.yaml, optional: true", ""},
		{"mirror.yaml", "empty.yaml, optional: true", ""},
	} {
		folder(t, files)
		t.Setenv("DIR_OF_F", "out")
		for link, to := range map[string]string{"link": "out", "linked.yaml": "deploy/a.yaml", "broken.yaml": "nowhere", "out/circle": "../out"} {
			if err := os.Symlink(to, link); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range map[string]string{test.spec: head + "sources: [{kubernetes: " + test.sources + "}]\n", "empty.yaml": "# nothing\n"} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := selectedFrom(t, test.spec); got != test.want {
			t.Errorf("%s: %s\ngot  %s\nwant %s", test.spec, test.sources, got, test.want)
		}
	}
}

// selectedFrom shows the images that a spec selects, and where it found them.
func selectedFrom(t *testing.T, spec string) string {
	t.Helper()
	selected, err := load(t, spec).Select()
	if err != nil {
		return "! " + err.Error()
	}
	var all []string
	for _, s := range selected.Selections {
		all = append(all, strings.TrimPrefix(s.Reference.String(), "docker.io/library/")+" "+s.From)
	}
	return strings.Join(all, "|")
}

// TestKubernetesFaults reports the faults of all manifests at once, each with its place.
func TestKubernetesFaults(t *testing.T) {
	folder(t, map[string]string{
		"deploy/a.yaml": pod("nginx", "${IMAGE}", "Nginx:1"),
		"deploy/b.yaml": "kind: Pod\n{{ .Values.x }}\n",
		"mirror.yaml":   head + "sources: [{kubernetes: deploy}, nginx]\n",
	})
	_, err := Validate("mirror.yaml", Checks{})
	want := `mirror.yaml:3:33: sources[1]: "nginx": no registry (did you mean "docker.io/library/nginx"?)
deploy/a.yaml:5:12: Pod: spec.containers[1].image: "${IMAGE}": a variable in the name of an image
deploy/a.yaml:6:12: Pod: spec.containers[2].image: "Nginx:1": repository "library/Nginx" has upper case letters (did you mean "docker.io/library/nginx:1"?)
deploy/b.yaml:2:1: a template, not a manifest: invalid YAML: could not find expected ':'`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if _, ok := errors.AsType[*discover.TemplateError](err); !ok {
		t.Error("the template is not known by its type")
	}
}

// TestTagsOfSeveralDigests names an image by its digest alone if another one has its tag.
func TestTagsOfSeveralDigests(t *testing.T) {
	a, b := "@sha256:"+strings.Repeat("a", 64), "@sha256:"+strings.Repeat("b", 64)
	for _, test := range []struct{ images, want []string }{
		{[]string{"x:1" + a, "x:1" + b, "x:2" + b, "x:1" + a}, []string{"x:1" + a, "x" + b, "x:2" + b}},
		{[]string{"x:1" + a, "x:1", "x" + a}, []string{"x" + a, "x:1"}},
		{[]string{"x", "x:latest", "docker.io/x"}, []string{"x:latest"}},
	} {
		folder(t, map[string]string{"a.yaml": pod(test.images...), "mirror.yaml": head + "sources: [{kubernetes: a.yaml}]\n"})
		all, err := load(t, "mirror.yaml").Selections()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range all {
			got = append(got, strings.TrimPrefix(s.Reference.String(), "docker.io/library/"))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.images, got, test.want)
		}
	}
}

// TestFindImages finds the images of files, folders and standard input.
func TestFindImages(t *testing.T) {
	folder(t, map[string]string{"a[1].yaml": pod("a:1"), "b/b.yaml": pod("b:1", "a:1")})
	stdin := func(int64) ([]byte, error) { return []byte(pod("c:1")), nil }
	found, err := FindImages([]string{"a[1].yaml", "b", "-", "./b/b.yaml"}, stdin)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range found.Images {
		line := i.Reference.String()
		for _, p := range i.Places {
			line += fmt.Sprintf(" %s:%d", p.File, p.Line)
		}
		got = append(got, line)
	}
	want := []string{"docker.io/library/a:1 a[1].yaml:4 b/b.yaml:5", "docker.io/library/b:1 b/b.yaml:4", "docker.io/library/c:1 standard input:4"}
	if !slices.Equal(got, want) || found.Files != 3 {
		t.Errorf("%d files\ngot  %q\nwant %q", found.Files, got, want)
	}
	if err := os.Mkdir("empty", 0o700); err != nil {
		t.Fatal(err)
	}
	missing := "none.yaml: no such file or directory\nempty: no .yaml, .yml or .json file in the folder"
	if _, err := FindImages([]string{"none.yaml", "empty"}, nil); err == nil || err.Error() != missing {
		t.Errorf("got %v", err)
	}
}
