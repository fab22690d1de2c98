package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

const (
	someSHA256 = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	someSHA512 = "sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func TestParseReference(t *testing.T) {
	tests := []struct {
		in        string
		want      Reference
		entryName string
	}{
		{"registry.k8s.io/pause", Reference{Registry: "registry.k8s.io", Repository: "pause"}, "registry.k8s.io/pause"},
		{"registry.k8s.io/pause:3.10", Reference{"registry.k8s.io", "pause", "3.10", ""}, "registry.k8s.io/pause:3.10"},
		{"ghcr.io/a/b-c/d__e@" + someSHA256, Reference{"ghcr.io", "a/b-c/d__e", "", someSHA256}, "ghcr.io/a/b-c/d__e@" + someSHA256},
		{"ghcr.io/a:v1@" + someSHA512, Reference{"ghcr.io", "a", "v1", someSHA512}, "ghcr.io/a:v1"},
		{"localhost/a", Reference{"localhost", "a", "", ""}, "localhost/a"},
		{"myhost:5000/a:_x", Reference{"myhost:5000", "a", "_x", ""}, "myhost:5000/a:_x"},
		{"my_registry:5000/a", Reference{"my_registry:5000", "a", "", ""}, "my_registry:5000/a"},
		{"[::1]:5000/a:b", Reference{"[::1]:5000", "a", "b", ""}, "[::1]:5000/a:b"},
		{"[2001:db8::1]/a", Reference{"[2001:db8::1]", "a", "", ""}, "[2001:db8::1]/a"},
		{"127.0.0.1:5000/a", Reference{"127.0.0.1:5000", "a", "", ""}, "127.0.0.1:5000/a"},
		{"docker.io/alpine", Reference{"docker.io", "library/alpine", "", ""}, "docker.io/library/alpine"},
		{"docker.io/alpine:3@" + someSHA256, Reference{"docker.io", "library/alpine", "3", someSHA256}, "docker.io/library/alpine:3"},
		{"docker.io/bitnami/redis:7", Reference{"docker.io", "bitnami/redis", "7", ""}, "docker.io/bitnami/redis:7"},
		{"a.b/c:" + strings.Repeat("x", 128), Reference{"a.b", "c", strings.Repeat("x", 128), ""}, "a.b/c:" + strings.Repeat("x", 128)},
		{"a.b/" + strings.Repeat("x", 255), Reference{"a.b", strings.Repeat("x", 255), "", ""}, "a.b/" + strings.Repeat("x", 255)},
	}
	for _, tt := range tests {
		got, err := ParseReference(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("ParseReference(%q) = %+v, %v, want %+v", tt.in, got, err, tt.want)
			continue
		}
		if got.EntryName() != tt.entryName {
			t.Errorf("%q: EntryName() = %q, want %q", tt.in, got.EntryName(), tt.entryName)
		}
		if again, err := ParseReference(got.String()); err != nil || again != got {
			t.Errorf("%q prints %q, which parses to %+v, %v", tt.in, got.String(), again, err)
		}
		if want := tt.want.Tag == "" && tt.want.Digest == ""; got.IsRepository() != want {
			t.Errorf("%q: IsRepository() = %v", tt.in, !want)
		}
	}
}

func TestParseReferenceError(t *testing.T) {
	tests := []struct{ in, reason, suggestion string }{
		{"", "empty", ""},
		{"nginx", "no registry", "docker.io/library/nginx"},
		{"nginx:1.25", "no registry", "docker.io/library/nginx:1.25"},
		{"Nginx:RC", "no registry", "docker.io/library/nginx:RC"},
		{"grafana/grafana:11", "no registry", "docker.io/grafana/grafana:11"},
		{"nginx@" + someSHA256, "no registry", "docker.io/library/nginx@" + someSHA256},
		{"ghcr.io", "a registry without a repository", ""},
		{"localhost:5000", "a registry without a repository", ""},
		{"localhost:5000/", "no repository", ""},
		{"ghcr.io/a/", "invalid repository", "ghcr.io/a"},
		{"ghcr.io/A/b:Tag", "upper case", "ghcr.io/a/b:Tag"},
		{"https://ghcr.io/a:v1", "scheme", "ghcr.io/a:v1"},
		{"docker://nginx", "scheme", "docker.io/library/nginx"},
		{" ghcr.io/a", "white space", "ghcr.io/a"},
		{"ghcr.io/a:", "empty tag", ""},
		{"ghcr.io/a:.x", "invalid tag", ""},
		{"ghcr.io/a:" + strings.Repeat("x", 129), "129 characters", ""},
		{"ghcr.io/" + strings.Repeat("x", 256), "256 characters", ""},
		{"ghcr.io/a@", "invalid digest", ""},
		{"ghcr.io/a@sha256:abc", "64 lower case", ""},
		{"ghcr.io/a@" + strings.ToUpper(someSHA256), "digest algorithm", ""},
		{"ghcr.io/a@sha384:00", "digest algorithm", ""},
		{"ghcr.io/a@" + someSHA256 + "@" + someSHA256, "64 lower case", ""},
		{"ghcr.io/a..b", "invalid repository", ""},
		{"ghcr.io//a", "invalid repository", ""},
		{"ghcr.io:0/a", "port", ""},
		{"ghcr.io:70000/a", "port", ""},
		{"ghcr.io:/a", "port", ""},
		{"-a.b/c", "host name", ""},
		{"[::1/a", "IPv6", ""},
		{"[::g]/a", "IPv6", ""},
		{"[fe80::1%eth0]/a", "IPv6", ""},
		{"[0:0:0:0:0:0:0:1]:5000/a", "another spelling of ::1", ""},
		{"[::ffff:10.0.0.1]:5000/a", "another spelling of 10.0.0.1", ""},
		{"${HOST}/a", "not expanded", ""},
		{"ghcr.io/a\x00", "invalid repository", ""},
	}
	for _, tt := range tests {
		got, err := ParseReference(tt.in)
		invalid, ok := errors.AsType[*ReferenceError](err)
		if !ok {
			t.Errorf("ParseReference(%q) = %+v, %v, want a *ReferenceError", tt.in, got, err)
			continue
		}
		if invalid.Reference != tt.in || !strings.Contains(invalid.Reason, tt.reason) || invalid.Suggestion != tt.suggestion {
			t.Errorf("ParseReference(%q): %#v, want reason %q, suggestion %q", tt.in, invalid, tt.reason, tt.suggestion)
		}
	}
}

func TestParseReferences(t *testing.T) {
	tests := []struct {
		in   string
		want string // their String()s; empty for an error
	}{
		{"ghcr.io/a", "ghcr.io/a"},
		{"ghcr.io/a:v1,v2", "ghcr.io/a:v1 ghcr.io/a:v2"},
		{"docker.io/a:v1,v2", "docker.io/library/a:v1 docker.io/library/a:v2"},
		{"ghcr.io/a:v1,@" + someSHA256, "ghcr.io/a:v1 ghcr.io/a@" + someSHA256},
		{"ghcr.io/a:v1," + someSHA256, "ghcr.io/a:v1 ghcr.io/a@" + someSHA256},
		{"ghcr.io/a:v1,v2@" + someSHA512, "ghcr.io/a:v1 ghcr.io/a:v2@" + someSHA512},
		{"ghcr.io/a@" + someSHA256 + ",v2", "ghcr.io/a@" + someSHA256 + " ghcr.io/a:v2"},
		{"ghcr.io/a,v1", ""},
		{"ghcr.io/a:v1,", ""},
		{"ghcr.io/a:v1,,v2", ""},
		{"ghcr.io/a:v1,v2@", ""},
		{"ghcr.io/a:v1,ghcr.io/b:v2", ""},
		{",ghcr.io/a:v1", ""},
	}
	for _, tt := range tests {
		got, err := parseReferences(tt.in)
		if tt.want == "" {
			if _, ok := errors.AsType[*ReferenceError](err); !ok {
				t.Errorf("parseReferences(%q) = %v, %v, want a *ReferenceError", tt.in, got, err)
			}
			continue
		}
		var names []string
		for _, r := range got {
			names = append(names, r.String())
		}
		if err != nil || strings.Join(names, " ") != tt.want {
			t.Errorf("parseReferences(%q) = %v, %v, want %s", tt.in, names, err, tt.want)
		}
	}
}

func TestZeroReference(t *testing.T) {
	var r Reference
	if r.String() != "" || r.EntryName() != "" || !r.IsRepository() {
		t.Errorf("the zero reference prints %q", r.String())
	}
	r.Digest = digest.Digest(someSHA256)
	if r.IsRepository() {
		t.Error("a digest names an artifact")
	}
}

func reference(t testing.TB, s string) Reference {
	t.Helper()
	r, err := ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
