package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/config/filter"
)

func TestLoadEveryKey(t *testing.T) {
	spec := load(t, specs+"/good/every-key.yaml")
	yes, no := true, false
	registries := []RegistrySettings{
		{Registry: "localhost:15000", PlainHTTP: &yes},
		{
			Registry: "registry.corp.example", PlainHTTP: &no, Insecure: true,
			CAFile: "certs/corp-ca.pem", CertFile: "certs/${CLIENT}.pem", KeyFile: "certs/${CLIENT}.key",
			Concurrency: 4, RequestsPerSecond: 2.5, DistributionSpec: "v1.1-referrers-tag",
			Mirrors: []Mirror{{"cache.corp.example", "corp"}, {"[2001:db8::1]:5000", ""}, {"localhost", ""}}, MirrorsOnly: true,
		},
	}
	if !reflect.DeepEqual(spec.Registries, registries) {
		t.Errorf("registries: %+v", spec.Registries)
	}
	defaults := Defaults{
		Platforms:      []Platform{{"linux", "amd64", ""}, {"linux", "arm64", ""}, {"linux", "amd64", ""}},
		ReferrerChoice: ReferrerChoice{Referrers: &yes},
	}
	if !reflect.DeepEqual(spec.Defaults, defaults) {
		t.Errorf("defaults: %+v", spec.Defaults)
	}
	selection := Source{
		Repository: "ghcr.io/fluxcd/source-controller",
		Tags: filter.Tags{
			Names: []string{"v1.0.0"}, Include: []string{"v*"}, Exclude: []string{"*-rc*"},
			Regex: "v[0-9.]+", Semver: ">=1.4.0 <2", Latest: 3,
		},
		Optional:       true,
		ReferrerChoice: ReferrerChoice{Referrers: &no},
	}
	if !reflect.DeepEqual(spec.Sources[4], selection) {
		t.Errorf("a selection: %+v", spec.Sources[4])
	}
	mappings := []Mapping{
		{Source: "docker.io/library", Target: "dockerhub"},
		{Source: "test", Target: "another-test"},
		{Source: "quay.io/coreos/etcd", Target: "platform/etcd", Tags: []TagMapping{{"v3.5.16", "3.5"}, {"v*", "*"}}},
		{Source: "quay.io/internal", Exclude: true},
		{SourcePattern: "(?P<registry>[^/]+)/(?P<path>.+)", Target: "all/${registry}/${path}"},
	}
	if !reflect.DeepEqual(spec.Mappings, mappings) {
		t.Errorf("mappings: %+v", spec.Mappings)
	}
	if _, err := spec.Mapper(); err != nil {
		t.Error(err)
	}
}

func TestRegistry(t *testing.T) {
	t.Setenv("CLIENT", "edge")
	spec := load(t, specs+"/good/every-key.yaml")
	got, err := spec.Registry("Registry.corp.example")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{got.CAFile: "corp-ca.pem", got.CertFile: "edge.pem", got.KeyFile: "edge.key"} {
		if path != filepath.Join(specs, "good/certs", want) {
			t.Errorf("got %q, want %s beside the spec", path, want)
		}
	}
	if got, err := spec.Registry("quay.io"); err != nil || !reflect.DeepEqual(got, RegistrySettings{}) {
		t.Errorf("a registry that is not listed: %+v, %v", got, err)
	}
	os.Unsetenv("CLIENT")
	if _, err := spec.Registry("localhost:15000"); err != nil {
		t.Errorf("a variable is expanded that is not used: %v", err)
	}
	_, err = spec.Registry("registry.corp.example")
	for _, want := range []string{
		"every-key.yaml:12:15: registries[1].certFile: environment variable CLIENT is not set",
		"every-key.yaml:13:14: registries[1].keyFile: environment variable CLIENT is not set",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestOutputPath(t *testing.T) {
	t.Setenv("SITE", "edge")
	t.Setenv("EMPTY", "")
	t.Setenv("DATE", "the environment's")
	// In UTC the next day has begun.
	now := time.Date(2025, 12, 31, 23, 30, 0, 0, time.FixedZone("", -3600))
	tests := []struct{ output, want string }{
		{"a.tgz", "DIR/a.tgz"},
		{"out/", "DIR/out/"},
		{"./", "DIR/"},
		{"/srv/a.tgz", "/srv/a.tgz"},
		{"/srv/out/", "/srv/out/"},
		{"'-'", "-"},
		{"b/${SITE}-${DATE}.tgz", "DIR/b/edge-2026-01-01.tgz"},
		{"${SITE}${SITE}$x${EMPTY}", "DIR/edgeedge$x"},
		{"../x", "UP/x"},
	}
	for _, tt := range tests {
		spec := write(t, "output: "+tt.output+"\n")
		dir := filepath.Dir(spec.file)
		want := strings.NewReplacer("DIR", dir, "UP", filepath.Dir(dir)).Replace(tt.want)
		if got, err := spec.OutputPath(now, ""); err != nil || got != want {
			t.Errorf("output: %s: got %q, %v, want %q", tt.output, got, err, want)
		}
	}
	if got, err := write(t, "output: /b/${SHARD}-${SITE}.tgz\n").OutputPath(now, "3"); err != nil || got != "/b/3-edge.tgz" {
		t.Errorf("shard 3: got %q, %v", got, err)
	}
	for output, want := range map[string]string{
		"a-${SHARD}":        "mirror.yaml:3:9: output: environment variable SHARD is not set",
		"a-${NO_SUCH_SITE}": "mirror.yaml:3:9: output: environment variable NO_SUCH_SITE is not set",
		"${EMPTY}":          "mirror.yaml:3:9: output: ${EMPTY} expands to an empty path",
	} {
		if got, err := write(t, "output: "+output+"\n").OutputPath(now, ""); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("output: %s: got %q, %v, want %s", output, got, err, want)
		}
	}
}

func TestResolveTargets(t *testing.T) {
	t.Setenv("NAMESPACE", "a/b")
	got, err := load(t, specs+"/good/every-key.yaml").ResolveTargets()
	want := []Target{
		{Registry: "registry.corp.example", Namespace: "mirror", ExistingTags: "overwrite", PlatformMode: "keep"},
		{Name: "dr", Registry: "localhost:15000", Namespace: "a/b", ExistingTags: "skip", PlatformMode: "rewrite"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	t.Setenv("NAMESPACE", "A")
	spec := write(t, "targets:\n- a.example/${NAMESPACE}\n- {name: x, target: '${NO_SUCH_TARGET}'}\n")
	_, err = spec.ResolveTargets()
	text := strings.ReplaceAll(`SPEC:4:3: targets[0]: "a.example/A": repository "A" has upper case letters (did you mean "a.example/a"?)
SPEC:5:3: targets[1]: environment variable NO_SUCH_TARGET is not set`, "SPEC", spec.file)
	if err == nil || err.Error() != text {
		t.Errorf("got\n%v\nwant\n%s", err, text)
	}
}

func TestNilSpec(t *testing.T) {
	var spec *Spec
	if s, err := spec.Selections(); s != nil || err != nil {
		t.Error(s, err)
	}
	if s, err := spec.ResolveTargets(); s != nil || err != nil {
		t.Error(s, err)
	}
	if s, err := spec.OutputPath(time.Time{}, ""); s != "" || err != nil {
		t.Error(s, err)
	}
	if s, err := spec.Registry("a.example"); !reflect.DeepEqual(s, RegistrySettings{}) || err != nil {
		t.Error(s, err)
	}
	all := []Selection{{Referrers: true}}
	if spec.ApplyDefaults(all); !reflect.DeepEqual(all, []Selection{{Referrers: true}}) {
		t.Error(all)
	}
	m, err := spec.Mapper()
	if err != nil {
		t.Fatal(err)
	}
	if s, _, _, err := m.Map(Reference{Registry: "a.example", Repository: "a/b"}); s != "a/b" || err != nil {
		t.Error(s, err)
	}
}
