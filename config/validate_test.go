package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestValidate reports the faults in the file and in the files that it names at once.
func TestValidate(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"invalid.txt": "a\n",
		"ca.pem":      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"no.pem":      "certificate\n",
		"mirror.yaml": head + `
registries:
  - {registry: a.example, caFile: no.pem, certFile: ca.pem, keyFile: missing.pem}
  - {registry: b.example, caFile: "${NO_SUCH_SITE}/ca.pem"}
sources:
  - nginx
  - list: invalid.txt
  - list: missing.txt
  - list: ${NO_SUCH_LIST}
  - {layout: good, repository: a.example/b}
  - layout: bad
  - {list: missing.txt, tags: {latest: 1}}
output: ${NO_SUCH_SITE}.tgz
targets:
  - A.example/${UPPER}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("UPPER", "A")
	path := filepath.Join(dir, "mirror.yaml")
	v, err := Validate(path, Checks{Layout: func(_ *Spec, path string, repository Reference) error {
		if filepath.Base(path) == "good" && repository.Name() == "a.example/b" {
			return nil
		}
		return errors.New("no layout")
	}})
	want := strings.ReplaceAll(`DIR/mirror.yaml:8:5: sources[0]: "nginx": no registry (did you mean "docker.io/library/nginx"?)
DIR/mirror.yaml:14:31: sources[6].tags: tags and list cannot be used together
DIR/mirror.yaml:5:35: registries[0].caFile: DIR/no.pem is not a PEM file
DIR/mirror.yaml:5:70: registries[0].keyFile: open DIR/missing.pem: no such file or directory
DIR/invalid.txt:1:1: "a": no registry (did you mean "docker.io/library/a"?)
DIR/mirror.yaml:10:11: sources[2].list: open DIR/missing.txt: no such file or directory
DIR/mirror.yaml:13:13: sources[5].layout: no layout
DIR/mirror.yaml:14:12: sources[6].list: open DIR/missing.txt: no such file or directory
DIR/mirror.yaml:17:5: targets[0]: "A.example/A": repository "A" has upper case letters (did you mean "a.example/a"?)`, "DIR", dir)
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var names []string
	for _, f := range v.Unset {
		names = append(names, f.Path)
	}
	if got := strings.Join(names, " "); got != "registries[1].caFile sources[3].list output" {
		t.Errorf("variables are not set for %s", got)
	}
	if _, err := Validate(filepath.Join(dir, "none.yaml"), Checks{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
