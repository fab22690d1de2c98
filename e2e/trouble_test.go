package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// trouble is a command that cannot work.
type trouble struct {
	args  string // of oras-mirror; SECURE, PLAIN, CA and ABSENT stand for what they name
	code  int
	error string // a part of the error
	hint  string // a part of the hint; empty: there need be none
}

func TestTrouble(t *testing.T) {
	secure := startRegistry(t, registryOptions{TLS: true, Password: true})
	plain := startRegistry(t, registryOptions{})
	testregistry.NewSeeder(t, secure.Access).Image("app", "v1")
	testregistry.NewSeeder(t, plain.Access).Image("app", "v1")
	names := strings.NewReplacer("SECURE", secure.Host, "PLAIN", plain.Host, "CA", secure.CAFile,
		"ABSENT", "localhost:1") // a port that nothing listens on: it needs root
	shelf := shelve(t, plain, names)
	for name, c := range map[string]trouble{
		"no password":       {"backup -o b.tgz --ca-file CA --plain-http=false SECURE/app:v1", 1, "SECURE/app:v1", "oras login"},
		"wrong password":    {"backup -o b.tgz --ca-file CA --plain-http=false -u keeper -p wrong SECURE/app:v1", 1, "401", "password"},
		"not trusted":       {"backup -o b.tgz --plain-http=false SECURE/app:v1", 1, "certificate", "--ca-file"},
		"http on https":     {"backup -o b.tgz --plain-http SECURE/app:v1", 1, "SECURE/app:v1", "--plain-http"},
		"https on http":     {"backup -o b.tgz --plain-http=false PLAIN/app:v1", 1, "PLAIN/app:v1", "--plain-http"},
		"no such tag":       {"backup -o b.tgz PLAIN/app:v2", 1, "PLAIN/app:v2", ""},
		"no such repo":      {"backup -o b.tgz PLAIN/other", 1, "PLAIN/other", ""},
		"no such registry":  {"backup -o b.tgz ABSENT/app:v1", 1, "ABSENT", ""},
		"no output":         {"backup PLAIN/app:v1", 2, "output", "--output"},
		"no source":         {"backup -o b.tgz", 2, "", ""},
		"no registry named": {"backup -o b.tgz app:v1", 2, "app:v1", "docker.io/library/app:v1"},
		"no reference":      {"backup -o b.tgz PLAIN/App:v1", 2, "App", ""},
		"no such flag":      {"backup --ouput b.tgz PLAIN/app:v1", 2, "ouput", ""},
		"may not be":        {"backup -o /proc/b.tgz PLAIN/app:v1", 1, "/proc", ""},
		"file for a folder": {"backup -o empty/b.tgz PLAIN/app:v1", 1, "empty", ""},
		"no input":          {"restore PLAIN/x", 2, "input", "--input"},
		"no such input":     {"restore --input none.tgz PLAIN/x", 2, "none.tgz", ""},
		"empty input":       {"restore --input empty PLAIN/x", 1, "empty", ""},
		"no tar":            {"restore --input text PLAIN/x", 1, "text", ""},
		"truncated":         {"restore --input cut.tgz PLAIN/x", 1, "cut.tgz", ""},
		"no target":         {"restore --input good.tgz", 2, "target", ""},
		"no spec":           {"backup -f none.yaml", 2, "none.yaml", ""},
		"collision":         {"restore -f collision.yaml --input two.tgz", 2, "x/one:v1", ""},
		"two users":         {"backup -o b.tgz -u keeper -p p SECURE/app:v1 PLAIN/app:v1", 2, "--username", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // one of them waits for a registry that does not come
			d := newDesk(t)
			if err := os.CopyFS(d.Dir, os.DirFS(shelf)); err != nil {
				t.Fatal(err)
			}
			before := len(d.files())
			c.check(t, d.mirror(strings.Fields(names.Replace(c.args))...).exits(c.code), names)
			if after := d.files(); len(after) != before {
				t.Errorf("the folder has %v", after)
			}
		})
	}
}

// check looks for one line of error, and for the hint.
func (c trouble) check(t *testing.T, got outcome, names *strings.Replacer) {
	t.Helper()
	var faults, hints []string
	for line := range strings.Lines(got.stderr) {
		if text, ok := strings.CutPrefix(line, "oras-mirror: error: "); ok {
			faults = append(faults, text)
		}
		if text, ok := strings.CutPrefix(line, "oras-mirror: hint: "); ok {
			hints = append(hints, text)
		}
	}
	if len(faults) != 1 || !strings.Contains(faults[0], names.Replace(c.error)) {
		t.Errorf("want one error with %q, standard error is\n%s", names.Replace(c.error), got.stderr)
	}
	if c.hint != "" && !strings.Contains(strings.Join(hints, ""), c.hint) {
		t.Errorf("want a hint with %q, standard error is\n%s", c.hint, got.stderr)
	}
	if strings.Contains(got.stderr, "goroutine ") {
		t.Errorf("it panicked:\n%s", got.stderr)
	}
}

// shelve makes the files that the commands name, and returns their folder.
func shelve(t *testing.T, plain *realRegistry, names *strings.Replacer) string {
	t.Helper()
	d := newDesk(t)
	d.write("empty", "")
	d.write("text", strings.Repeat("this is no tar\n", 1000))
	d.write("collision.yaml", names.Replace(`apiVersion: oras-mirror/v1alpha1
kind: Mirror
mappings:
  - {source: PLAIN/one, target: one}
  - {source: PLAIN/two, target: one}
targets: [PLAIN/x]
`))
	seeder := testregistry.NewSeeder(t, plain.Access)
	seeder.Image("one", "v1", []byte("one"))
	seeder.Image("two", "v1", []byte("two"))
	d.mirror("backup", "-o", "good.tgz", plain.Host+"/app:v1").exits(0)
	d.mirror("backup", "-o", "two.tgz", plain.Host+"/one:v1", plain.Host+"/two:v1").exits(0)
	whole, err := os.ReadFile(d.path("good.tgz"))
	if err != nil {
		t.Fatal(err)
	}
	d.write("cut.tgz", string(whole[:len(whole)/2]))
	return d.Dir
}
