package docs

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// unit returns the settings of a unit of systemd by "Section.Key". Several lines of a key are
// joined by blanks.
func unit(t *testing.T, name string) map[string]string {
	t.Helper()
	settings, section := make(map[string]string), ""
	for line := range strings.Lines(string(readExample(t, name))) {
		line = strings.TrimSpace(line)
		key, value, isSetting := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = strings.Trim(line, "[]")
		case isSetting:
			settings[section+"."+key] = strings.TrimSpace(settings[section+"."+key] + " " + value)
		default:
			t.Errorf("%s: %q", name, line)
		}
	}
	return settings
}

// TestSystemdUnits checks that the service is a valid command, and that no exit code but 0 is a
// success.
func TestSystemdUnits(t *testing.T) {
	service, timer := unit(t, "oras-mirror.service"), unit(t, "oras-mirror.timer")
	words := strings.Fields(service["Service.ExecStart"])
	parses(t, words[1:])
	metrics := words[slices.Index(words, "--metrics")+1]
	for key, want := range map[string]string{"Type": "oneshot", "Restart": "on-failure", "RestartPreventExitStatus": "2", "DynamicUser": "yes",
		"ProtectSystem": "strict", "ReadWritePaths": filepath.Dir(metrics), "SuccessExitStatus": ""} {
		if got := service["Service."+key]; got != want {
			t.Errorf("%s=%s, want %q", key, got, want)
		}
	}
	if !strings.HasSuffix(metrics, ".prom") || timer["Timer.OnCalendar"] == "" || timer["Timer.Persistent"] != "yes" || timer["Install.WantedBy"] != "timers.target" {
		t.Errorf("%s, %v", metrics, timer)
	}
}

// TestSystemdAcceptsTheUnits has systemd read the units, with a program that is there, and
// rate how much of the system the service can reach.
func TestSystemdAcceptsTheUnits(t *testing.T) {
	analyze := skipped.Without(t, "systemd-analyze")
	program, err := exec.LookPath("oras-mirror")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var paths []string
	for _, name := range []string{"oras-mirror.service", "oras-mirror.timer"} {
		text := strings.ReplaceAll(string(readExample(t, name)), "/usr/bin/oras-mirror", program)
		paths = append(paths, filepath.Join(folder, name))
		if err := os.WriteFile(paths[len(paths)-1], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), analyze, append([]string{"verify", "--man=no"}, paths...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
	const mostExposed = "20" // of 100; a service without any protection has 96
	if out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=true", "--no-pager", "--threshold="+mostExposed, paths[0]).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestPreCommitHook runs the entry as pre-commit does, with the files that changed as its
// last arguments.
func TestPreCommitHook(t *testing.T) {
	bash := skipped.Without(t, "bash")
	all := hooks(t)
	if len(all) != 1 || all[0].ID != "oras-mirror-validate" || all[0].Name == "" || all[0].Description == "" || all[0].Language != "golang" {
		t.Fatalf("%+v", all)
	}
	files := regexp.MustCompile(all[0].Files)
	for path, want := range map[string]bool{"mirror.yaml": true, "edge/mirror.yml": true, "mirror.lock.yaml": false, "my-mirror.yaml": false, "mirror.yaml.orig": false, "mirror/x.yaml": false} {
		if files.MatchString(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"good one.yaml": "sources: [registry.k8s.io/pause:3.10]", "other.yaml": "sources: [ghcr.io/a/b]", "bad.yaml": "sorces: []"} {
		text = "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\n" + text + "\n"
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for changed, want := range map[string]string{"'good one.yaml'": "", "'good one.yaml' other.yaml": "", "bad.yaml 'good one.yaml'": "did you mean", "'good one.yaml' bad.yaml other.yaml": "did you mean"} {
		cmd := exec.CommandContext(t.Context(), bash, "-c", all[0].Entry+" "+changed)
		cmd.Dir, cmd.Env = folder, append(os.Environ(), "GORACE=atexit_sleep_ms=0")
		out, err := cmd.CombinedOutput()
		if (err != nil) != (want != "") || !strings.Contains(string(out), want) || !strings.Contains(string(out), "good one.yaml is valid") {
			t.Errorf("%s: %v\n%s", changed, err, out)
		}
	}
}

// preset has the keys of a configuration of Renovate that our example uses.
type preset struct {
	Schema         string `json:"$schema"`
	Description    string `json:"description"`
	CustomManagers []struct {
		CustomType          string   `json:"customType"`
		Description         string   `json:"description"`
		ManagerFilePatterns []string `json:"managerFilePatterns"`
		MatchStrings        []string `json:"matchStrings"`
		DatasourceTemplate  string   `json:"datasourceTemplate"`
		VersioningTemplate  string   `json:"versioningTemplate"`
	} `json:"customManagers"`
}

// found returns what the managers of the preset find in a spec: names, versions and digests.
// Renovate matches with RE2, like Go.
func (p *preset) found(t *testing.T, spec string) []string {
	t.Helper()
	var all []string
	for _, m := range p.CustomManagers {
		for _, pattern := range m.MatchStrings {
			re := regexp.MustCompile(pattern)
			for at := 0; at < len(spec); {
				match := re.FindStringSubmatchIndex(spec[at:])
				if match == nil {
					break
				}
				var parts []string
				for i, name := range re.SubexpNames() {
					if name != "" && match[2*i] >= 0 {
						parts = append(parts, spec[at:][match[2*i]:match[2*i+1]])
					}
				}
				all = append(all, strings.Join(parts, " "))
				at += match[1] - 1 // the end of a line begins the next one
			}
		}
	}
	return all
}

// TestRenovatePreset checks what the expressions match in the forms of a spec. The forms that
// they leave alone select more than one version.
func TestRenovatePreset(t *testing.T) {
	var p preset
	decoder := json.NewDecoder(strings.NewReader(string(readExample(t, "renovate.json"))))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil || len(p.CustomManagers) != 2 {
		t.Fatalf("%v, %+v", err, p)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Error(err)
	}
	digest := "sha256:" + strings.Repeat("0a", 32)
	spec := `apiVersion: oras-mirror/v1alpha1
kind: Mirror
registries:
  - registry: localhost:15000
sources:
  - registry.k8s.io/pause:3.10
  - registry.k8s.io/etcd:3.5.16-0@` + digest + `   # pinned
  - "localhost:5000/team/app:v1"
  - 'docker.io/library/alpine:3.20'
  - registry.corp.example:8443/a/b_c/d.e:1.0
  - registry.k8s.io/coredns/coredns:v1.11.1,v1.11.3
  - registry.k8s.io/kube-proxy@` + digest + `
  - registry.k8s.io/kube-scheduler
  # - registry.k8s.io/old:1.0
  - repository: ghcr.io/fluxcd/source-controller
    tags: {semver: ">=1.4.0 <2"}
  - chart: oci://ghcr.io/acme/charts/app
    version: 1.4.2
  - chart: oci://ghcr.io/acme/charts/range
    version: ^1.4
  - layout: ./vendor
    repository: registry.corp.example/vendor/app
mappings:
  - source: docker.io/library
    target: dockerhub
targets:
  - registry.corp.example/mirror
  - registry.dr.example:5000/mirror
`
	if _, err := config.Parse("mirror.yaml", []byte(spec)); err != nil {
		t.Error(err)
	}
	want := []string{"registry.k8s.io/pause 3.10", "registry.k8s.io/etcd 3.5.16-0 " + digest, "localhost:5000/team/app v1", "docker.io/library/alpine 3.20",
		"registry.corp.example:8443/a/b_c/d.e 1.0", "ghcr.io/acme/charts/app 1.4.2"}
	for _, text := range []string{spec, strings.ReplaceAll(spec, "\n", "\r\n")} {
		if got := p.found(t, text); !slices.Equal(got, want) {
			t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	for _, m := range p.CustomManagers {
		files := regexp.MustCompile(strings.Trim(m.ManagerFilePatterns[0], "/"))
		if m.CustomType != "regex" || m.DatasourceTemplate != "docker" || !files.MatchString("edge/mirror.yaml") || files.MatchString("mirror.lock.yaml") {
			t.Errorf("%+v", m)
		}
	}
}

// TestScriptOfScheduledRuns runs the script of the page: with exit code 3 the others are
// restored, and its exit code is that.
func TestScriptOfScheduledRuns(t *testing.T) {
	bash := skipped.Without(t, "bash")
	script := blocks(t, "docs/scheduled.md", "sh")[0]
	for repository, want := range map[string]int{"app": 0, "absent": 3} {
		from, to := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
		from.Image("app", "v1", []byte("app"))
		dir := t.TempDir()
		spec := fmt.Sprintf("apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: ['%s/app:v1', '%s/%s:v1']\ntargets: [%s/mirror]\n", from.Host, from.Host, repository, to.Host)
		if err := os.WriteFile(filepath.Join(dir, "mirror.yaml"), []byte(spec), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), bash, "-e", "-c", script)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GORACE=atexit_sleep_ms=0")
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want || !slices.Equal(to.Tags("mirror/app"), []string{"v1"}) {
			t.Errorf("exit code %d, want %d\n%s", code, want, out)
		}
	}
}

// TestScheduledNamesTheExamples checks that the page leads to every example.
func TestScheduledNamesTheExamples(t *testing.T) {
	page := readPage(t, "docs/scheduled.md")
	files, err := os.ReadDir("docs/examples")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{"../.pre-commit-hooks.yaml": true}
	for _, f := range files {
		names["examples/"+f.Name()] = true
	}
	for name := range maps.Keys(names) {
		if !strings.Contains(page, "]("+name+")") {
			t.Errorf("docs/scheduled.md does not lead to %s", name)
		}
	}
}
