package migrate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestRecognize(t *testing.T) {
	for text, want := range map[string]Format{
		"busybox":                           List,
		"\ufeffquay.io/a/b:v1\r\n# end\r\n": List,
		"- nginx\n- redis:7\n":              List,
		"apiVersion: content.hauler.cattle.io/v1\nkind: Files\n":                          Hauler,
		`{"apiVersion": "mirror.openshift.io/v1alpha2", "kind": "ImageSetConfiguration"}`: OCMirror,
		"version: 1\nsync: []\n":                                     Regsync,
		"quay.io:\n  images-by-semver:\n    a/b: '>1'\n":             Skopeo,
		"---\napiVersion: mirror.fluxcd.io/v1alpha1\nkind: Config\n": FluxMirror,
	} {
		result, err := Read("file", []byte(text))
		if err != nil || result.Format != want {
			t.Errorf("%q is %v, %v; want %s", text, result, err, want)
		}
	}
}

func TestUnknown(t *testing.T) {
	for text, want := range map[string]UnknownError{
		"": {IsEmpty: true}, "# only a comment\n": {IsEmpty: true},
		"apiVersion: oras-mirror/v1alpha1\nkind: Mirror\n":                              {Kind: "Mirror", IsSpec: true},
		"apiVersion: apps/v1\nkind: Deployment\n":                                       {Kind: "Deployment", IsManifest: true},
		"apiVersion: mirror.openshift.io/v2alpha1\nkind: DeleteImageSetConfiguration\n": {Kind: "DeleteImageSetConfiguration"},
		"a: b\n": {}, "- {a: b}\n": {}, "two words\n": {},
	} {
		_, err := Read("file", []byte(text))
		got, ok := errors.AsType[*UnknownError](err)
		want.File = "file"
		if !ok || *got != want {
			t.Errorf("%q: %#v", text, err)
		}
	}
	_, err := Read("file", []byte("sync:\n  - source: {{ .Source }}\n  bad"))
	syntax, ok := errors.AsType[*SyntaxError](err)
	if !ok || !syntax.Template || syntax.Line == 0 {
		t.Errorf("%#v", err)
	}
}

// specOf converts a text that must have a format.
func specOf(t *testing.T, text string) (string, *Result) {
	t.Helper()
	result, err := Read("file", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return result.Spec("file"), result
}

// TestTargets checks what becomes of steps that go to several places.
func TestTargets(t *testing.T) {
	step := func(from, to string) string {
		return "  - {source: " + from + ", target: " + to + ", type: image}\n"
	}
	for name, c := range map[string]struct{ steps, has, note string }{
		"one":            {step("a.io/x/y:v1", "t.io/x/y:v1"), "targets:\n  - t.io\n", ""},
		"namespace":      {step("a.io/x/y:v1", "t.io/n/x/y:v1") + step("b.io/z:v1", "t.io/n/z:v1"), "targets:\n  - t.io/n\n", ""},
		"both the same":  {step("a.io/x:v1", "t.io/q:v1") + step("a.io/x:v1", "u.io/q:v1"), "mappings:\n  - {source: a.io/x, target: q}\n\ntargets:\n  - t.io\n  - u.io\n", ""},
		"other sources":  {step("a.io/x:v1", "t.io/x:v1") + step("a.io/y:v1", "u.io/y:v1"), "#targets:\n#  - t.io\n#  - u.io\n", "not every source goes to each of t.io, u.io"},
		"two paths":      {step("a.io/x:v1", "t.io/p:v1") + step("a.io/x:v2", "t.io/q:v2"), "mappings:\n  - {source: a.io/x, target: p}\n", "a.io/x goes to p and to q"},
		"two tags":       {step("a.io/x:v1", "t.io/x:v1") + step("a.io/x:v1", "t.io/x:stable"), "targets:\n  - t.io\n", "a.io/x:v1 goes to the tags v1 and stable"},
		"below another":  {step("a.io/x:v1", "t.io/p:v1") + step("a.io/x/y:v1", "t.io/x/y:v1"), "mappings:\n  - {source: a.io/x/y, target: x/y}\n  - {source: a.io/x, target: p}\n", ""},
		"renamed tag":    {step("a.io/x:v1", "t.io/x:stable"), "mappings:\n  - {source: a.io/x, target: x, tags: [{source: v1, target: stable}]}\n", ""},
		"invalid target": {step("a.io/x:v1", "t.io/X:v1"), "sources:\n  - a.io/x:v1\n", "t.io/X:v1"},
	} {
		text, result := specOf(t, "defaults: {referrers: true}\nsync:\n"+c.steps)
		if !strings.Contains(text, c.has) {
			t.Errorf("%s lacks %q:\n%s", name, c.has, text)
		}
		var notes []string
		for _, n := range result.Notes {
			notes = append(notes, n.String())
		}
		if all := strings.Join(notes, "\n"); (c.note == "") != (all == "") || !strings.Contains(all, c.note) {
			t.Errorf("%s: notes %q", name, notes)
		}
	}
}

// TestMirrors checks the order of mirrors, and their paths.
func TestMirrors(t *testing.T) {
	text, result := specOf(t, `creds:
  - {registry: docker.io, mirrors: [slow.io, "fast.io:5000", docker.io, other.io, slow.io, "https://x"]}
  - {registry: "fast.io:5000", pathPrefix: hub, priority: 10}
  - {registry: slow.io, pathPrefix: /a/b/}
  - {registry: alone.io, pathPrefix: c}
sync: []
`)
	if want := "  - {registry: docker.io, mirrors: [fast.io:5000/hub, slow.io/a/b, other.io]}\n"; !strings.Contains(text, want) {
		t.Errorf("lacks %q:\n%s", want, text)
	}
	if len(result.Notes) != 2 || !strings.Contains(result.Notes[0].Text, "https://x") || result.Notes[1].Key != "creds[3].pathPrefix" {
		t.Errorf("notes %v", result.Notes)
	}
}

// TestOff checks that a key that is off needs no note.
func TestOff(t *testing.T) {
	_, result := specOf(t, "defaults: {userAgent: '', skipDockerConfig: false, hooks: {}, mediaTypes: [], interval: ~}\nsync: [{source: a.io/x:v1, type: image}]\n")
	if len(result.Notes) > 0 {
		t.Errorf("notes %v", result.Notes)
	}
}

// TestUnsaid checks that what cannot be said is never left out without a word, and never
// becomes a wider selection.
func TestUnsaid(t *testing.T) {
	for text, want := range map[string]string{
		"sync: [{source: a.io/x, type: repository, tags: {allow: ['(']}}]":                     "  # - {repository: a.io/x, referrers: false}\n",
		"sync: [{source: a.io/x, type: repository, tags: {semverRange: ['oops']}}]":            "the filter of the tags is invalid",
		"sync: [{source: 'a.io:5000', type: registry, target: b.io, repos: {allow: ['x.*']}}]": "  # - {registry: a.io:5000, referrers: false}\n",
		"sync: [{source: '{{env \"X\"}}/x:v1', type: image, target: b.io/x:v1}]":               "a template, which is not expanded",
		"sync: [{source: A.io/X, type: image, target: b.io/x}]":                                "  # left out: A.io/X\n",
		"sync: [{source: a.io/x:v1, type: image, platforms: [oops]}]":                          "a mirror spec cannot have this source",
		"sync: [{source: a.io/x:v1, type: other}]":                                             `unknown type "other"`,
		"sync: [oops]": "expected a mapping", "sync: {a: b}": "expected a list", "sync: []\nother: 1": "other: unknown key",
		"creds: [{registry: 'https://a.io/v1/', tls: insecure}]\nsync: []":                                                                "is not the name of a registry",
		"apiVersion: mirror.fluxcd.io/v1\nkind: Config\nartifacts: [{source: 'a.io/${X}', destination: b.io/x}]":                          "a variable, which is not expanded",
		"apiVersion: mirror.fluxcd.io/v1\nkind: Config\ncharts: [{name: x, source: 'https://c.io', destination: 'oci://b.io', limit: 3}]": "several versions of a chart",
		"a.io:\n  images-by-tag-regex: {x: '('}\n":                                                                                        "  # - {repository: a.io/x, referrers: false}\n",
		"a.io/x:v1\nb.io/Y\n": "  # left out: b.io/Y\n",
		"apiVersion: content.hauler.cattle.io/v1\nkind: Images\nspec: {images: [{name: 'a.io/x:v1', rewrite: 'y:!'}]}": `invalid tag "!"`,
		"apiVersion: content.hauler.cattle.io/v1\nkind: Images\nspec: {images: [{name: 'a.io/x:v1', rewrite: 'Y'}]}":   "upper case",
		"kind: ImageSetConfiguration\nmirror: {additionalImages: [{name: 'a.io/x:v1', targetTag: '!'}]}":               `invalid tag "!"`,
		"kind: ImageSetConfiguration\nmirror: {additionalImages: [{name: 'a.io/x:v1', targetRepo: 'Y'}]}":              "upper case",
	} {
		got, result := specOf(t, text)
		if !strings.Contains(got, want) || len(result.Notes) == 0 {
			t.Errorf("%s: lacks %q, notes %v\n%s", text, want, result.Notes, got)
		}
	}
}

// TestAliases checks that aliases cannot unfold to more than memory holds.
func TestAliases(t *testing.T) {
	text := "x-a: &a {x: 1}\n"
	before := "a"
	for _, name := range []string{"b", "c", "d", "e", "f", "g"} {
		text += "x-" + name + ": &" + name + " {<<: [" + strings.TrimSuffix(strings.Repeat("*"+before+",", 100), ",") + "]}\n"
		before = name
	}
	_, err := Read("file", []byte(text+"sync: [*g]\n"))
	if syntax, ok := errors.AsType[*SyntaxError](err); !ok || syntax.Err != errTooLarge {
		t.Errorf("%v", err)
	}
}

// TestLongList checks that a long list keeps every line, and every renamed tag.
func TestLongList(t *testing.T) {
	var b strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&b, "a.io/x/y%d:v1=b.io/z/y%d:v2\n", i, i)
	}
	text, result := specOf(t, b.String())
	if result.Sources() != 2000 || strings.Count(text, "tags: [{source: v1, target: v2}]") != 2000 {
		t.Errorf("%d sources", result.Sources())
	}
}

// TestNotesInOneLine checks that notes about one line come in the order of the file, each time.
func TestNotesInOneLine(t *testing.T) {
	const text = "creds: [{registry: a.example, pathPrefix: x}, {registry: b.example, pathPrefix: y}]\n" +
		"sync: [{source: a.example/x, target: b.example/x, type: repository, referrers: [], digestTags: []}]\n"
	const want = "creds[0].pathPrefix: put the path into the references (and 1 more)\n" +
		"sync[0].referrers: expected a text; left out (and 1 more)\n"
	for range 20 {
		_, result := specOf(t, text)
		got := ""
		for _, n := range result.Notes {
			got += n.String() + "\n"
		}
		if got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	}
}
