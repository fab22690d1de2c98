package config

import (
	"errors"
	"strings"
	"testing"
)

func TestMap(t *testing.T) {
	prefix := func(source, target string) Mapping { return Mapping{Source: source, Target: target} }
	tests := []struct {
		name     string
		mappings []Mapping
		in       string
		want     string // repository[:tag]; "-" for what is excluded
	}{
		{"nothing matches", nil, "foo.example/a/b:v1", "a/b:v1"},
		{"nothing matches on Docker Hub", nil, "docker.io/nginx", "library/nginx"},
		{"with a registry", []Mapping{prefix("docker.io/library", "dockerhub")}, "docker.io/nginx:1", "dockerhub/nginx:1"},
		{"another registry", []Mapping{prefix("docker.io/library", "dockerhub")}, "quay.io/library/nginx", "library/nginx"},
		{"the whole repository", []Mapping{prefix("quay.io/a/b", "x")}, "quay.io/a/b", "x"},
		{"not within a component", []Mapping{prefix("quay.io/a", "x")}, "quay.io/ab/c", "ab/c"},
		{"a registry alone", []Mapping{prefix("quay.io", "x")}, "quay.io/a/b", "x/a/b"},
		{"a registry with a port", []Mapping{prefix("localhost:5000/a", "x")}, "localhost:5000/a/b", "x/b"},
		{"a registry in other letters", []Mapping{prefix("Quay.io/a", "x")}, "quay.io/a", "x"},
		{"no registry", []Mapping{prefix("test", "another-test")}, "foo.example/test/a:v1", "another-test/a:v1"},
		{"no registry, anywhere", []Mapping{prefix("test", "another-test")}, "localhost:5000/test", "another-test"},
		{"no registry, not in the middle", []Mapping{prefix("test", "another-test")}, "foo.example/a/test", "a/test"},
		{"the short form on Docker Hub", []Mapping{prefix("docker.io/nginx", "web")}, "docker.io/nginx:1", "web:1"},
		{"the short form is no prefix", []Mapping{prefix("docker.io/nginx", "web")}, "docker.io/nginxinc/x", "nginxinc/x"},
		{"a namespace of that name", []Mapping{prefix("docker.io/nginx", "web")}, "docker.io/nginx/unit", "web/unit"},
		{"the short form without a registry", []Mapping{prefix("nginx", "web")}, "docker.io/library/nginx", "web"},
		{"library is a prefix", []Mapping{prefix("docker.io/library", "")}, "docker.io/nginx", "nginx"},
		{"an empty target", []Mapping{prefix("quay.io/a", "")}, "quay.io/a/b/c", "b/c"},
		{"the first wins", []Mapping{prefix("quay.io/a", "x"), prefix("quay.io/a/b", "y")}, "quay.io/a/b", "x/b"},
		{"excluded", []Mapping{{Source: "quay.io/a", Exclude: true}, prefix("quay.io", "x")}, "quay.io/a/b:v1", "-"},
		{"not excluded", []Mapping{{Source: "quay.io/a", Exclude: true}, prefix("quay.io", "x")}, "quay.io/b", "x/b"},
		{"excluded by a pattern", []Mapping{{SourcePattern: `[^/]+/internal/.*`, Exclude: true}}, "quay.io/internal/a", "-"},
		{"a renamed tag", []Mapping{{Source: "quay.io/a", Target: "b", Tags: []TagMapping{{"v3.5.16", "3.5"}}}}, "quay.io/a:v3.5.16", "b:3.5"},
		{"another tag", []Mapping{{Source: "quay.io/a", Target: "b", Tags: []TagMapping{{"v3.5.16", "3.5"}}}}, "quay.io/a:v3", "b:v3"},
		{"a tag with a digest", []Mapping{{Source: "quay.io/a", Target: "b", Tags: []TagMapping{{"v1", "v2"}}}}, "quay.io/a:v1@" + someSHA256, "b:v2"},
		{"a digest", []Mapping{{Source: "quay.io/a", Target: "b"}}, "quay.io/a@" + someSHA256, "b"},
		{"a pattern", []Mapping{{SourcePattern: `(?P<registry>[^/]+)/(?P<path>.+)`, Target: "all/${registry}/${path}"}}, "foo.example/a/b:v1", "all/foo.example/a/b:v1"},
		{"a pattern is anchored", []Mapping{{SourcePattern: `quay|foo.example`, Target: "x"}}, "foo.example/a", "a"},
		{"a group by number", []Mapping{{SourcePattern: `[^/]+/(.*)`, Target: "x/${1}"}}, "foo.example/a/b", "x/a/b"},
		{"a group is not looked into", []Mapping{{SourcePattern: `(?P<a>[^/]+)/(?P<b>.*)`, Target: "${b}"}}, "foo.example/a", "a"},
		{"a pattern renames", []Mapping{{SourcePattern: `.*/(.*)`, Target: "${1}", Tags: []TagMapping{{"v1", "v2"}}}}, "foo.example/a/b:v1", "b:v2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := NewMapper(tt.mappings)
			if err != nil {
				t.Fatal(err)
			}
			r, err := ParseReference(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			repository, tag, ok, err := m.Map(r)
			got := repository
			if tag != "" {
				got += ":" + tag
			}
			if !ok {
				got = "-"
			}
			if err != nil || got != tt.want {
				t.Errorf("%s maps to %q, %v, want %q", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestMapError(t *testing.T) {
	tests := []struct {
		mapping Mapping
		in      string
		want    string
	}{
		{Mapping{Source: "quay.io/a", Target: ""}, "quay.io/a:v1", `quay.io/a:v1: mapping quay.io/a gives "": no repository`},
		{Mapping{SourcePattern: `(?P<r>[^/]+)/(?P<p>.*)`, Target: "${r}/${p}"}, "localhost:5000/a", `gives "localhost:5000/a": repository "localhost:5000/a" is not allowed`},
		{Mapping{SourcePattern: `.*/(x)?a`, Target: "b/${1}"}, "quay.io/a", `gives "b/"`},
		{Mapping{Source: "quay.io", Target: strings.Repeat("a", 250)}, "quay.io/abcdef", "257 characters"},
	}
	for _, tt := range tests {
		m, err := NewMapper([]Mapping{tt.mapping})
		if err != nil {
			t.Fatal(err)
		}
		r, err := ParseReference(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		repository, _, ok, err := m.Map(r)
		var wrong *MappingError
		if ok || !errors.As(err, &wrong) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s maps to %q, %v, want the error %q", tt.in, repository, err, tt.want)
		}
	}
}

func TestNewMapperError(t *testing.T) {
	for _, m := range []Mapping{
		{},
		{Source: "quay.io:0/a", Target: "b"},
		{Source: "A", Target: "b"},
		{Source: "a", Target: "b:c"},
		{Source: "a/", Target: "b"},
		{SourcePattern: "(", Target: "b"},
		{SourcePattern: "a"},
		{SourcePattern: "(a)", Target: "${2}"},
		{SourcePattern: "(a)", Target: "${"},
		{SourcePattern: "(?P<a>a)", Target: "b/${a"},
		{SourcePattern: "(a)", Target: "$1"},
	} {
		if _, err := NewMapper([]Mapping{m}); err == nil {
			t.Errorf("%+v makes a mapper", m)
		}
	}
}
