package docs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// tutorials are in the order in which a reader types them.
var tutorials = []string{"docs/tutorial-mirror.md", "docs/tutorial-air-gap.md", "docs/tutorial-disaster-recovery.md"}

var fenced = regexp.MustCompile("(?ms)^```(sh|text|console)\n(.*?)^```$")

// TestTutorials types the tutorials one after the other, in one shell, in a copy of the
// checkout: it builds the program, starts the registries and cleans up as the pages say.
// Each line of a text block must be in the output of the sh block before it; … matches
// anything. Only the ports are changed, to free ones.
func TestTutorials(t *testing.T) {
	if pages, err := filepath.Glob("docs/tutorial-*.md"); err != nil || len(pages) != len(tutorials) {
		t.Fatalf("the tutorials are %v, %v", pages, err)
	}
	shell := skipped.Without(t, "sh")
	skipped.Without(t, "make")
	skipped.Without(t, "ssh-keygen")
	var typed []typedBlock
	for _, page := range tutorials {
		typed = append(typed, typedBlocks(t, page)...)
	}
	for _, program := range []string{"cosign", "openssl"} {
		typed = onlyWith(t, program, typed)
	}
	checkout := copyOfCheckout(t)
	outputs, err := typeInto(t, shell, checkout, typed)
	for i, output := range outputs {
		typed[i].compare(t, output)
	}
	if err != nil {
		t.Fatalf("%v in %s after\n%s\n%s", err, typed[len(outputs)-1].page, typed[len(outputs)-1].script, outputs[len(outputs)-1])
	}
	if _, err := os.Stat(filepath.Join(checkout, "tutorial")); err == nil {
		t.Error("the tutorials leave their folder behind")
	}
}

// typedBlock is a sh block of a page and the output that the page promises.
type typedBlock struct{ page, script, promised string }

func typedBlocks(t *testing.T, page string) []typedBlock {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var typed []typedBlock
	compared := 0
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		switch block[1] {
		case "sh":
			typed = append(typed, typedBlock{page: page, script: block[2]})
		case "text":
			typed[len(typed)-1].promised = block[2]
			compared++
		}
	}
	if len(typed) < 6 || compared < 4 {
		t.Errorf("%s has %d blocks to type and %d to compare", page, len(typed), compared)
	}
	return typed
}

// onlyWith removes the blocks that call a program if this machine does not have it, and counts
// that as a skipped test.
func onlyWith(t *testing.T, program string, typed []typedBlock) []typedBlock {
	t.Helper()
	calls := regexp.MustCompile("(?m)^" + program + " ")
	missing := true
	t.Run("with "+program, func(t *testing.T) {
		if _, err := os.Stat(filepath.Join(".tools", program)); err != nil {
			skipped.Without(t, program)
		}
		missing = false
	})
	if !slices.ContainsFunc(typed, func(b typedBlock) bool { return calls.MatchString(b.script) }) {
		t.Errorf("no tutorial calls %s", program)
	}
	return slices.DeleteFunc(typed, func(b typedBlock) bool { return missing && calls.MatchString(b.script) })
}

// compare looks for each promised line in the output.
func (b typedBlock) compare(t *testing.T, output string) {
	t.Helper()
	for line := range strings.Lines(b.promised) {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(line)), "…", ".*")
		if !regexp.MustCompile(`(?m)^ *` + pattern + `$`).MatchString(output) {
			t.Errorf("%s promises\n%sbut the output is\n%s", b.page, line, output)
		}
	}
}

// blockMark separates the outputs of two blocks.
const blockMark = "@@ next block @@\n"

// typeInto types the blocks into one shell until one fails, and returns their outputs.
func typeInto(t *testing.T, shell, dir string, typed []typedBlock) ([]string, error) {
	t.Helper()
	var script strings.Builder
	script.WriteString("trap 'kill ${remote-} ${own-} ${outside-} ${site-} ${serving-} ${lost-} ${new-} ${bucket-} 2>/dev/null || :' EXIT\n")
	for _, block := range typed {
		script.WriteString("printf '%s\\n' '" + strings.TrimSpace(blockMark) + "'\n" + block.script)
	}
	to, from := freePorts(t, script.String())
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, shell, "-eu")
	cmd.Dir, cmd.WaitDelay = dir, 10*time.Second
	cmd.Stdin = strings.NewReader(to.Replace(script.String()))
	cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+dir, "XDG_RUNTIME_DIR="+dir, "REGISTRY_AUTH_FILE=")
	out, err := cmd.CombinedOutput()
	output := from.Replace(strings.ReplaceAll(string(out), "\r\n", "\n"))
	return strings.Split(output, blockMark)[1:], err
}

var tutorialPort = regexp.MustCompile(`\b50[1-9][01]\b`)

// freePorts returns replacers from the ports of the pages to free ones and back. They are
// below the ports that systems hand out by themselves, so no other process takes them meanwhile.
func freePorts(t *testing.T, script string) (to, from *strings.Replacer) {
	t.Helper()
	var there, back []string
	next := 15000 + os.Getpid()%10000
	for _, port := range slices.Compact(slices.Sorted(slices.Values(tutorialPort.FindAllString(script, -1)))) {
		for ; ; next++ {
			if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", next)); err == nil {
				l.Close()
				break
			}
		}
		there = append(there, port, strconv.Itoa(next))
		back = append(back, "localhost:"+strconv.Itoa(next), "localhost:"+port)
		next++
	}
	return strings.NewReplacer(there...), strings.NewReplacer(back...)
}

// copyOfCheckout copies what a checkout has, without hidden and built files.
func copyOfCheckout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != "." && (strings.HasPrefix(entry.Name(), ".") || path == "dist" || path == "oras-mirror"):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(dir, path), 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, path), data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	linkTools(t, dir, "versitygw*", "cosign")
	return dir
}

// linkTools links programs that are installed here, and take minutes to build.
func linkTools(t *testing.T, dir string, patterns ...string) {
	t.Helper()
	tools, err := filepath.Abs(".tools")
	err = errors.Join(err, os.MkdirAll(filepath.Join(dir, ".tools"), 0o755))
	for _, pattern := range patterns {
		installed, _ := filepath.Glob(filepath.Join(".tools", pattern)) // the pattern is valid
		for _, file := range installed {
			err = errors.Join(err, os.Symlink(filepath.Join(tools, filepath.Base(file)), filepath.Join(dir, file)))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
