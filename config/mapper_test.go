package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const referrersTag = "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

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
		{"a tag pattern", tags("v*", "*"), "quay.io/a:v3.5", "b:3.5"},
		{"a tag pattern with a suffix", tags("v*-alpine", "release-*"), "quay.io/a:v3.5-alpine", "b:release-3.5"},
		{"a tag pattern that does not match", tags("v*-alpine", "*"), "quay.io/a:v3.5", "b:v3.5"},
		{"a tag pattern of all", tags("*", "*-mirrored"), "quay.io/a:v1", "b:v1-mirrored"},
		{"a * is not nothing", tags("v*", "*"), "quay.io/a:v", "b:v"},
		{"ends that overlap", tags("aba*ba", "*"), "quay.io/a:ababa", "b:ababa"},
		{"a * alone matches everything", tags("*", "x*"), "quay.io/a:v1", "b:xv1"},
		{"the first tag pattern wins", tags("v1*", "one*", "v*", "*"), "quay.io/a:v1.2", "b:one.2"},
		{"the next tag pattern", tags("v1*", "one*", "v*", "*"), "quay.io/a:v2", "b:2"},
		{"a tag before a pattern", tags("v1", "one", "v*", "*"), "quay.io/a:v1", "b:one"},
		{"a tag after a pattern", tags("v*", "*", "v1", "one", "w1", "won"), "quay.io/a:v1", "b:1"},
		{"a tag after another pattern", tags("v*", "*", "v1", "one", "w1", "won"), "quay.io/a:w1", "b:won"},
		{"a digest has no tag to rename", tags("*", "x*"), "quay.io/a@" + someSHA256, "b"},
		{"a tag of cosign's is made of a digest", tags("*", "x-*"), "quay.io/a:" + referrersTag + ".sig", "b:" + referrersTag + ".sig"},
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

// tags returns a mapping that renames tags: source, target, source, target...
func tags(pairs ...string) []Mapping {
	m := Mapping{Source: "quay.io/a", Target: "b"}
	for pair := range slices.Chunk(pairs, 2) {
		m.Tags = append(m.Tags, TagMapping{pair[0], pair[1]})
	}
	return []Mapping{m}
}

func TestParseMapping(t *testing.T) {
	for in, want := range map[string]Mapping{
		"docker.io/library=dockerhub": {Source: "docker.io/library", Target: "dockerhub"},
		"ghcr.io/acme=":               {Source: "ghcr.io/acme"},
		"test=a/b":                    {Source: "test", Target: "a/b"},
		"[::1]:5000=a":                {Source: "[::1]:5000", Target: "a"},
	} {
		if got, err := ParseMapping(in); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("ParseMapping(%q) = %+v, %v, want %+v", in, got, err, want)
		}
	}
	for in, want := range map[string]string{
		"":             "a mapping must be SOURCE=TARGET",
		"ghcr.io/a":    "a mapping must be SOURCE=TARGET",
		"=a":           "no source",
		"a/=b":         "ends with a slash",
		"a.b/c:v1=d":   "has a tag or a digest",
		"a=B":          "upper case",
		"a=b=c":        "invalid repository",
		"a = b":        "invalid repository",
		"a.b:0/c=d":    "invalid port",
		"a.b:0443/c=d": "invalid port",
	} {
		got, err := ParseMapping(in)
		invalid, ok := errors.AsType[*ReferenceError](err)
		if !ok || invalid.Reference != in || !strings.Contains(invalid.Reason, want) {
			t.Errorf("ParseMapping(%q) = %+v, %v, want %q", in, got, err, want)
		}
	}
}

func TestPrepend(t *testing.T) {
	m, err := NewMapper([]Mapping{{Source: "quay.io/a", Target: "spec"}})
	if err != nil {
		t.Fatal(err)
	}
	before := func(mappings ...Mapping) (*Mapper, error) { return m.Prepend(mappings...) }
	first, err := before(Mapping{Source: "quay.io/a/b", Target: "first"}, Mapping{Source: "quay.io/a", Target: "second"})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{"quay.io/a/b": "first", "quay.io/a/c": "second/c", "quay.io/d": "d"} {
		if got, _, _, err := first.Map(reference(t, in)); err != nil || got != want {
			t.Errorf("%s maps to %q, %v, want %q", in, got, err, want)
		}
	}
	if got, _, _, err := m.Map(reference(t, "quay.io/a/b")); err != nil || got != "spec/b" {
		t.Errorf("the mapper changed: %q, %v", got, err)
	}
	_, err = before(Mapping{Source: "quay.io", Target: "x"}, Mapping{Source: "quay.io/a", Target: "y"})
	if err == nil || err.Error() != `"quay.io/a": already mapped by quay.io` {
		t.Errorf("got %v", err)
	}
	if _, err = before(Mapping{Source: "A"}); err == nil {
		t.Error("a mapping that is none makes a mapper")
	}
}

func TestMapError(t *testing.T) {
	tests := []struct {
		mapping Mapping
		in      string
		want    string
	}{
		{Mapping{Source: "quay.io/a", Target: ""}, "quay.io/a:v1", `quay.io/a:v1: mapping quay.io/a gives "": no repository`},
		{Mapping{SourcePattern: `(?P<r>[^/]+)/(?P<p>.*)`, Target: "${r}/${p}"}, "localhost:5000/a", `gives "localhost:5000/a": invalid repository "localhost:5000/a"`},
		{Mapping{SourcePattern: `.*/(x)?a`, Target: "b/${1}"}, "quay.io/a", `gives "b/"`},
		{tags("v*", "*")[0], "quay.io/a:v.1", `invalid tag ".1"`},
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
		if _, invalid := errors.AsType[*MappingError](err); ok || !invalid || !strings.Contains(err.Error(), tt.want) {
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
		{Source: "a", Target: "b", Tags: []TagMapping{{"v*", "latest"}}},
		{Source: "a", Target: "b", Tags: []TagMapping{{"v1", "*"}}},
		{Source: "a", Target: "b", Tags: []TagMapping{{"v**", "*"}}},
		{Source: "a", Target: "b", Tags: []TagMapping{{"v*", "*:"}}},
		{Source: "a", Target: "b", Tags: []TagMapping{{"", "a"}}},
	} {
		if _, err := NewMapper([]Mapping{m}); err == nil {
			t.Errorf("%+v makes a mapper", m)
		}
	}
}

func TestMappingSuggestions(t *testing.T) {
	for _, test := range []struct{ in, reason, suggestion string }{
		{"https://a.io/b=c", "has a scheme", "a.io/b=c"},
		{"oci://a.io/b=c", "has a scheme", "a.io/b=c"},
		{"b=https://a.io/c", "has a scheme", "b=c"},
		{"https://a.io/b=https://c.io/d", "has a scheme", "a.io/b=d"},
		{"b=localhost:5000/c", "has a registry", "b=c"},
		{"b=a.io:5000/c/", "has a registry", "b=c"},
		{"b/=c/", "ends with a slash", "b=c"},
		{"https://=c", "has a scheme", ""},
		{"b=localhost:5000/C", "has a registry", ""},
		{"b/c:v1=d", "has a tag", ""},
		{"b", "a mapping must be SOURCE=TARGET", ""},
	} {
		_, err := ParseMapping(test.in)
		invalid, ok := errors.AsType[*ReferenceError](err)
		if !ok || !strings.Contains(invalid.Reason, test.reason) || invalid.Suggestion != test.suggestion {
			t.Errorf("%s: %#v, want %q and %q", test.in, invalid, test.reason, test.suggestion)
		}
		if test.suggestion != "" {
			if _, err := ParseMapping(test.suggestion); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestUnmatchedMappings counts a mapping as matched even if an earlier one always wins.
func TestUnmatchedMappings(t *testing.T) {
	m, err := NewMapper([]Mapping{{Source: "quay.io/a", Target: "x"}, {Source: "quay.io/a/b", Target: "y"}, {Source: "gone", Target: "z"}, {SourcePattern: "none/.*", Exclude: true}})
	if err != nil {
		t.Fatal(err)
	}
	if m, err = m.Prepend(Mapping{Source: "quay.io/a", Target: "first"}, Mapping{Source: "ap", Target: "x"}); err != nil {
		t.Fatal(err)
	}
	var refs []Reference
	for _, name := range []string{"quay.io/a/b:v1", "docker.io/nginx", "foo.example/app:v1"} {
		ref, err := ParseReference(name)
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref)
	}
	added, others := m.Unmatched(refs)
	if !slices.Equal(added, []string{"ap"}) || !slices.Equal(others, []string{"gone", "none/.*"}) {
		t.Errorf("unmatched: %q and %q", added, others)
	}
}
