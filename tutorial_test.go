package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

var fenced = regexp.MustCompile("(?ms)^```(sh|yaml|text|console)\n(.*?)^```$")

// TestTutorials does what the pages say: yaml blocks become the files that their
// first lines name, sh blocks are run, and each line of the text block behind one
// must be in what it says, where … is anything. The registries of the pages are
// two in this process.
func TestTutorials(t *testing.T) {
	pages, err := filepath.Glob("docs/tutorial-*.md")
	if err != nil || len(pages) != 3 {
		t.Fatalf("the tutorials are %v, %v", pages, err)
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for _, page := range pages {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			newReader(t, shell).follow(page)
		})
	}
}

// reader is somebody with a tutorial at a desk.
type reader struct {
	t       *testing.T
	shell   string
	dir     string
	to, fro *strings.Replacer // from the hosts of the page to those of the test, and back
	said    string            // by the last sh block
}

func newReader(t *testing.T, shell string) *reader {
	t.Helper()
	// A registry as the pages start one has no referrers API.
	far := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	own := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	r := &reader{
		t: t, shell: shell, dir: t.TempDir(),
		to:  strings.NewReplacer("localhost:5000", far.Host, "localhost:5001", own.Host),
		fro: strings.NewReplacer(far.Host, "localhost:5000", own.Host, "localhost:5001"),
	}
	if err := os.CopyFS(filepath.Join(r.dir, "testdata", "layout"), os.DirFS(filepath.Join("testdata", "layout"))); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reader) follow(page string) {
	r.t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		r.t.Fatal(err)
	}
	ran, compared := 0, 0
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		switch block[1] {
		case "yaml":
			r.write(block[2])
		case "sh":
			r.run(block[2])
			ran++
		case "text":
			r.compare(block[2])
			compared++
		}
	}
	if ran < 4 || compared < 4 {
		r.t.Errorf("%d blocks were run, %d compared", ran, compared)
	}
}

// write makes the file that the first line of a block names.
func (r *reader) write(text string) {
	r.t.Helper()
	first, _, _ := strings.Cut(text, "\n")
	name, ok := strings.CutPrefix(first, "# ")
	if !ok || strings.Contains(name, " ") {
		r.t.Fatalf("%q names no file", first)
	}
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(r.to.Replace(text)), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// run runs a block, all of whose commands must succeed.
func (r *reader) run(script string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), r.shell, "-euc", r.to.Replace(script))
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "HOME="+r.dir, "DOCKER_CONFIG="+r.dir, "XDG_RUNTIME_DIR="+r.dir, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	r.said = r.fro.Replace(string(bytes.ReplaceAll(out, []byte("\r\n"), []byte("\n"))))
	if err != nil {
		r.t.Fatalf("%v\n%s\n%s", err, script, r.said)
	}
}

// compare looks for each line of a page in what was said.
func (r *reader) compare(text string) {
	r.t.Helper()
	for line := range strings.Lines(text) {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(line)), "…", ".*")
		if !regexp.MustCompile(`(?m)^ *` + pattern + `$`).MatchString(r.said) {
			r.t.Errorf("it did not say\n%s\nbut\n%s", line, r.said)
		}
	}
}
