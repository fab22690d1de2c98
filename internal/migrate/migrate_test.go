package migrate

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
)

const examples = "../../testdata/migrate"

// inputs are the examples, by the format that they are in.
func inputs(t *testing.T) map[string]Format {
	t.Helper()
	all := make(map[string]Format)
	for folder, f := range map[string]Format{"hauler": Hauler, "oc-mirror": OCMirror, "regsync": Regsync, "skopeo": Skopeo, "flux-mirror": FluxMirror, "list": List} {
		for _, pattern := range []string{"*.yaml", "*.list"} {
			found, err := filepath.Glob(filepath.Join(examples, folder, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range found {
				all[path] = f
			}
		}
	}
	if len(all) < 17 {
		t.Fatalf("%d examples", len(all))
	}
	return all
}

func read(t *testing.T, path string) *Result {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	result, err := Read(path, data)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// TestExamples converts each example and compares what the spec selects with the list beside it.
func TestExamples(t *testing.T) {
	registries := readTags(t)
	for path, format := range inputs(t) {
		t.Run(path, func(t *testing.T) {
			result := read(t, path)
			if result.Format != format {
				t.Errorf("format %s", result.Format)
			}
			text := result.Spec(path)
			spec, err := config.Parse(path, []byte(text))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if _, err := spec.Mapper(); err != nil {
				t.Error(err)
			}
			if _, err := spec.ResolveTargets(); err != nil {
				t.Error(err)
			}
			want := lines(t, strings.TrimSuffix(path, filepath.Ext(path))+".txt")
			if got := selected(t, spec, registries); !slices.Equal(got, want) {
				t.Errorf("selects\n%s\nwant\n%s\nby\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), text)
			}
			for _, n := range result.Notes {
				if n.Line == 0 || !strings.Contains(text, document.Comment(n.String())) {
					t.Errorf("%d: %v is no comment of the spec", n.Line, n)
				}
				if strings.Contains(n.Text, "unknown key") {
					t.Errorf("%v", n)
				}
			}
			for _, secret := range []string{"Pa$$w0rd", "hidden", "secret-token", "this is a secret", "john:", "robot-user", "HUB_USER"} {
				if strings.Contains(text, secret) {
					t.Errorf("the spec has %q", secret)
				}
			}
		})
	}
}

// TestKeys checks that the examples have every key of the tables and no others, and that what
// a key without a counterpart means is said.
func TestKeys(t *testing.T) {
	met, said := make(map[Format]map[string]bool), make(map[Format]string)
	for path, format := range inputs(t) {
		if met[format] == nil {
			met[format] = make(map[string]bool)
		}
		result := read(t, path)
		for key := range result.met {
			met[format][key] = true
		}
		for _, n := range result.Notes {
			said[format] += n.Text + "\n"
		}
	}
	for _, format := range Formats() {
		for _, k := range Keys(format) {
			if !met[format][k.Name] {
				t.Errorf("no example of %s has %s", format, k.Name)
			}
			if k.Why != "" && !strings.Contains(said[format], k.Why) {
				t.Errorf("%s: no note says %q", format, k.Why)
			}
			delete(met[format], k.Name)
		}
		for key := range met[format] {
			t.Errorf("the table of %s lacks %s", format, key)
		}
	}
}

// selected returns the references that a spec selects from registries, in order.
func selected(t *testing.T, spec *config.Spec, registries map[string][]string) []string {
	t.Helper()
	selections, err := spec.Selections()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range selections {
		switch {
		case s.Registry != "":
			for name := range registries {
				path, inside := strings.CutPrefix(name, s.Registry+"/")
				if inside && s.Repositories.Match(path) {
					all = append(all, tagged(t, name, s.Tags, registries)...)
				}
			}
		case s.Reference.IsRepository():
			all = append(all, tagged(t, s.Reference.Name(), s.Tags, registries)...)
		default:
			all = append(all, s.Reference.String())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func tagged(t *testing.T, name string, tags filter.Tags, registries map[string][]string) []string {
	t.Helper()
	found, err := tags.Select(registries[name])
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = name + ":" + found[i]
	}
	return found
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Fields(string(data))
	slices.Sort(all)
	return slices.Compact(all)
}

// readTags returns the tags of the repositories that the examples name.
func readTags(t *testing.T) map[string][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(examples, "tags.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := make(map[string][]string)
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		if words := strings.Fields(scanner.Text()); len(words) > 1 && words[0] != "#" {
			all[words[0]] = words[1:]
		}
	}
	return all
}
