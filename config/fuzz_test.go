package config

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/internal/testschema"
)

// FuzzParse holds that a spec that loads is valid against the JSON schema, and that nothing
// panics.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"/good/*.yaml", "/bad/*.yaml"} {
		for _, path := range filesOf(f, specs+pattern) {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	schema := testschema.Of(f, "mirror")
	f.Fuzz(func(t *testing.T, data []byte) {
		spec, err := Parse("mirror.yaml", data)
		if err != nil {
			checkFaults(t, err)
			return
		}
		if err := schema.ValidateYAML(data); err != nil {
			t.Errorf("it loads, but %v", err)
		}
		if _, err := spec.Mapper(); err != nil {
			t.Errorf("it loads, but its mappings do not compile: %v", err)
		}
		for _, source := range spec.Sources {
			if _, err := source.Tags.Select([]string{"v1", "latest"}); err != nil {
				t.Errorf("it loads, but its tags cannot be selected: %v", err)
			}
		}
	})
}

func checkFaults(t *testing.T, err error) {
	t.Helper()
	faults, ok := errors.AsType[*LoadError](err)
	if !ok {
		t.Fatalf("%T: %v, want a *LoadError", err, err)
	}
	if lines := strings.Count(err.Error(), "\n") + 1; lines != len(faults.Faults) {
		t.Errorf("%d faults in %d lines:\n%v", len(faults.Faults), lines, err)
	}
	for _, fault := range faults.Faults {
		if fault.Line < 1 || fault.Column < 1 || fault.Message == "" {
			t.Errorf("a fault without a place: %+v", fault)
		}
	}
}

// FuzzParseReference holds that a reference prints to text that parses to the same reference.
func FuzzParseReference(f *testing.F) {
	for _, s := range []string{
		"", "nginx:1.25", "docker.io/alpine", "ghcr.io/a/b:v1@" + someSHA256, "[::1]:5000/a", "https://a.b/C:d",
		"ghcr.io/a:v1,v2,@" + someSHA512, "localhost/a__b--c.d", "a.b/c:" + strings.Repeat("x", 129),
		"doCker.io/00000",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		references, err := parseReferences(s)
		if err != nil {
			checkSuggestion(t, err)
			return
		}
		for _, r := range references {
			again, err := ParseReference(r.String())
			if err != nil || again != r {
				t.Errorf("%+v prints %q, which parses to %+v, %v", r, r.String(), again, err)
			}
			if named, err := ParseReference(r.EntryName()); err != nil || named.Name() != r.Name() {
				t.Errorf("%+v is called %q, which parses to %+v, %v", r, r.EntryName(), named, err)
			}
		}
		target, err := ParseTarget(s)
		if err != nil {
			return
		}
		if again, err := ParseTarget(target.String()); err != nil || again.String() != target.String() {
			t.Errorf("target %q prints %q, which parses to %q, %v", s, target, again, err)
		}
		if target.String() != s && !dockerhub.IsRegistry(target.Registry) { // which has one name
			t.Errorf("target %q prints %q", s, target)
		}
	})
}

// checkSuggestion checks that a suggestion is valid.
func checkSuggestion(t *testing.T, err error) {
	t.Helper()
	invalid, ok := errors.AsType[*ReferenceError](err)
	if !ok {
		t.Fatalf("%T: %v, want a *ReferenceError", err, err)
	}
	if invalid.Suggestion == "" {
		return
	}
	if _, err := ParseReference(invalid.Suggestion); err != nil {
		t.Errorf("%v: the suggestion does not parse: %v", invalid, err)
	}
}

// FuzzMap holds that a mapper returns a valid name or a *MappingError.
func FuzzMap(f *testing.F) {
	f.Add("docker.io/library", "", "dockerhub", "docker.io/nginx:1", "1", "2")
	f.Add("test", "", "", "foo.example/test/a", "v*", "*")
	f.Add("", `(?P<registry>[^/]+)/(?P<path>.+)`, "all/${registry}/${path}", "foo.example/a:v1", "v*", "*")
	f.Add("", `(x)?.*`, "a${1}", "foo.example/a:v1", "v*", "*")
	f.Add("[::1]:5000/a", "", "b", "[::1]:5000/a/c", "v*", "*")
	f.Fuzz(func(t *testing.T, source, pattern, target, reference, tagSource, tagTarget string) {
		m, err := NewMapper([]Mapping{{Source: source, SourcePattern: pattern, Target: target, Tags: []TagMapping{{tagSource, tagTarget}}}})
		if err != nil {
			return
		}
		r, err := ParseReference(reference)
		if err != nil {
			return
		}
		repository, tag, ok, err := m.Map(r)
		if _, invalid := errors.AsType[*MappingError](err); invalid != (err != nil) || ok != (err == nil) {
			t.Fatalf("%s: ok = %v, %T: %v", reference, ok, err, err)
		}
		if err != nil {
			return
		}
		mapped, err := ParseReference("a.example/" + repository)
		if err != nil || mapped.Repository != repository || (tag == "") != (r.Tag == "") {
			t.Errorf("%s maps to %q with tag %q: %v", reference, repository, tag, err)
		}
	})
}

// FuzzParsePlatform holds that a platform prints to text that parses to the same platform, and
// that it matches itself.
func FuzzParsePlatform(f *testing.F) {
	for _, s := range []string{"linux/amd64", "linux/arm/v7", "linux/arm64/v8", "linux/aarch64/8", "all", "amd64", "Windows/x86-64", "a/b/c/d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePlatform(s)
		if err != nil {
			invalid, ok := errors.AsType[*ReferenceError](err)
			if !ok {
				t.Fatalf("%T: %v, want a *ReferenceError", err, err)
			}
			if invalid.Suggestion == "" {
				return
			}
			s = invalid.Suggestion
			if p, err = ParsePlatform(s); err != nil {
				t.Fatalf("the suggestion does not parse: %v", err)
			}
		}
		if again, err := ParsePlatform(p.String()); err != nil || again != p {
			t.Errorf("%+v prints %q, which parses to %+v, %v", p, p, again, err)
		}
		if !p.Matches(p.OS, p.Architecture, p.Variant) {
			t.Errorf("%s does not match itself", p)
		}
	})
}
