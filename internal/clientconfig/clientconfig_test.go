package clientconfig

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/config"
)

var update = flag.Bool("update", false, "write the results to testdata")

// TestGolden runs each testdata/*.txtar: its comment gives the format and the mirror,
// mirror.yaml is the spec, all other files are the result. A file named refused has the
// errors, one named notes the notes.
func TestGolden(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := &txtar.Archive{Comment: archive.Comment, Files: archive.Files[:1]}
			got.Files = append(got.Files, outcome(t, string(archive.Comment), archive.Files[0].Data)...)
			text := txtar.Format(got)
			if *update {
				if err := os.WriteFile(name, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := txtar.Format(archive); string(text) != string(want) {
				t.Errorf("got\n%s\nwant\n%s", text, want)
			}
		})
	}
}

// outcome returns the files that a case results in.
func outcome(t *testing.T, comment string, text []byte) []txtar.File {
	t.Helper()
	r, err := request(t, comment, text)
	var c *Config
	if err == nil {
		c, err = Write(strings.Fields(comment)[0], r)
	}
	if err != nil {
		return []txtar.File{{Name: "refused", Data: []byte(refusals(t, err))}}
	}
	var files []txtar.File
	for _, f := range c.Files {
		files = append(files, txtar.File{Name: f.Name, Data: f.Content})
	}
	if len(c.Notes) > 0 {
		files = append(files, txtar.File{Name: "notes", Data: []byte(strings.Join(c.Notes, "\n") + "\n")})
	}
	return files
}

// request reads "FORMAT TARGET [rewritten] [plain] [insecure] [ca] [cert]", and after
// "sources" the same words for all sources.
func request(t *testing.T, comment string, text []byte) (Request, error) {
	t.Helper()
	words := strings.Fields(comment)
	spec, err := config.Parse("mirror.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	selections, err := spec.Selections()
	if err != nil {
		t.Fatal(err)
	}
	target, err := config.ParseTarget(words[1])
	if err != nil {
		t.Fatal(err)
	}
	own, others, told := strings.Cut(strings.TrimSpace(comment), " sources ")
	r := Request{Mirror: reached(t, strings.Fields(own)[2:]), Sources: make(map[string]Registry)}
	r.Mirror.Host = target.Registry
	r.Rewritten = slices.Contains(words, "rewritten")
	r.Routes, err = Routes(selections, spec.Mappings, target)
	for _, route := range r.Routes {
		r.Sources[route.Registry] = Registry{PlainHTTP: strings.HasPrefix(route.Registry, "localhost")}
		if told {
			r.Sources[route.Registry] = reached(t, strings.Fields(others))
		}
	}
	return r, err
}

func reached(t *testing.T, words []string) (r Registry) {
	t.Helper()
	for _, word := range words {
		switch word {
		case "plain":
			r.PlainHTTP = true
		case "insecure":
			r.Insecure = true
		case "ca":
			r.CA = []byte("a certificate\n")
		case "cert":
			r.ClientTLS = true
		case "rewritten":
		default:
			t.Fatalf("unknown word %q", word)
		}
	}
	return r
}

// refusals writes errors, which must all be refusals, with their hints.
func refusals(t *testing.T, err error) string {
	t.Helper()
	var text strings.Builder
	var walk func(error)
	walk = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range joined.Unwrap() {
				walk(one)
			}
			return
		}
		var refusal *Refusal
		if !errors.As(err, &refusal) {
			t.Fatalf("%v is not a refusal", err)
		}
		fmt.Fprintf(&text, "%s\n  %s\n", refusal, cmp.Or(refusal.Hint, "-"))
	}
	walk(err)
	return text.String()
}

// TestEveryRouteIsTrue follows routes as clients do and compares the result with the
// mappings.
func TestEveryRouteIsTrue(t *testing.T) {
	names, _ := filepath.Glob("testdata/*.txtar")
	followed := 0
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := request(t, string(archive.Comment), archive.Files[0].Data)
		if err != nil {
			continue
		}
		spec, _ := config.Parse("mirror.yaml", archive.Files[0].Data)
		mapper, _ := spec.Mapper()
		target, _ := config.ParseTarget(strings.Fields(string(archive.Comment))[1])
		selections, _ := spec.Selections()
		for _, ref := range samples(selections) {
			path, _, ok, err := mapper.Map(ref)
			if err != nil || !ok {
				continue
			}
			followed++
			if got := follow(r.Routes, ref); got != target.Join(path) {
				t.Errorf("%s: %s goes to %q, want %q", name, ref, got, target.Join(path))
			}
		}
	}
	if followed < 20 {
		t.Errorf("only %d were followed", followed)
	}
}

// samples returns the repositories of selections; for a registry some that it may have.
func samples(selections []config.Selection) []config.Reference {
	var all []config.Reference
	for _, s := range selections {
		if s.Registry == "" {
			all = append(all, config.Reference{Registry: s.Reference.Registry, Repository: s.Reference.Repository})
			continue
		}
		for _, path := range []string{"a", "a/b", "test", "test/a", "library/nginx", "library/nginx/x", "team/secret", "team/secret/a", "team/app/b/c", "tester"} {
			if s.Registry != "docker.io" || strings.Count(path, "/") < 2 { // it has no deeper ones
				all = append(all, config.Reference{Registry: s.Registry, Repository: path})
			}
		}
	}
	return all
}

// follow works as a runtime that knows prefixes: the longest counts, the exact one most.
func follow(routes []Route, ref config.Reference) string {
	location, longest := "", -1
	for _, r := range routes {
		rest, fits := under(ref.Repository, r.Path)
		if r.Registry != ref.Registry || !fits || !r.Below && rest != "" {
			continue
		}
		if n := 2 * len(r.Path); n > longest || !r.Below {
			longest, location = n, join(r.Location, rest)
			if !r.Below {
				longest++
			}
		}
	}
	return location
}

func TestUnknownFormat(t *testing.T) {
	if _, err := Write("crio", Request{Routes: []Route{{}}}); err == nil {
		t.Error("an unknown format is written")
	}
	if _, err := Write("podman", Request{}); err == nil {
		t.Error("a configuration without routes is written")
	}
}

func TestRewrites(t *testing.T) {
	for _, test := range []struct {
		route    Route
		from, to string
	}{
		{Route{Path: "a.b/c", Location: "x"}, "a.b/c", "x"},
		{Route{Path: "a.b/c", Location: "x"}, "aXb/c", "aXb/c"},
		{Route{Path: "a", Below: true, Location: "x/y"}, "a/b/c", "x/y/b/c"},
		{Route{Path: "a", Below: true, Location: "x/y"}, "a", "x/y"},
		{Route{Path: "a", Below: true, Location: "x/y"}, "ab", "ab"},
		{Route{Path: "a", Below: true}, "a/b", "b"},
		{Route{Below: true, Location: "x"}, "a/b", "x/a/b"},
		{Route{Below: true}, "a/b", "a/b"},
	} {
		var rule map[string]string
		if err := yaml.Unmarshal([]byte(test.route.rewrite()), &rule); err != nil || len(rule) != 1 {
			t.Fatalf("%s: %v", test.route.rewrite(), err)
		}
		for expression, replacement := range rule {
			if got := regexp.MustCompile(expression).ReplaceAllString(test.from, replacement); got != test.to {
				t.Errorf("%s makes %q of %q, want %q", test.route.rewrite(), got, test.from, test.to)
			}
		}
	}
}
