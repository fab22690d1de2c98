package docs

import (
	"encoding/xml"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestJobsOfTheReadme types the four jobs as they stand in the README, one after the other in
// one shell. Two registries in this process replace the public ones and the one of the reader.
func TestJobsOfTheReadme(t *testing.T) {
	bash := skipped.Without(t, "bash")
	far, own := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	far.Image("pause", "3.9", []byte("older"))
	far.Image("pause", "3.10", []byte("pause"))
	far.Image("oras-project/oras", "v1.3.0", []byte("oras"))
	script := strings.NewReplacer("registry.k8s.io", far.Host, "ghcr.io", far.Host, "localhost:5000", own.Host,
		"localhost:5001", freeAddress(t)).Replace(strings.Join(jobs(t), "\n"))
	cmd := exec.CommandContext(t.Context(), bash, "-euo", "pipefail", "-c", script)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "GORACE=atexit_sleep_ms=0", "CI=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"synced 3 artifacts to " + own.Host + "/mirror",
		"backed up 3 artifacts to bundle.tgz",
		"all complete and intact",
		"restored 3 artifacts to " + own.Host + "/site",
		"backed up 3 artifacts to next.tgz",
		"restored 3 artifacts to " + own.Host + "/new",
		"no differences between nightly/ and " + own.Host + "/new",
		"restored 3 artifacts to " + own.Host + "/fleet",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the jobs do not print %q:\n%s", want, out)
		}
	}
}

// jobs returns the shell blocks of the section about the four jobs.
func jobs(t *testing.T) []string {
	t.Helper()
	_, section, _ := strings.Cut(readPage(t, "README.md"), "\n## Four jobs\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var found []string
	for _, m := range codeBlock.FindAllStringSubmatch(section, -1) {
		found = append(found, m[2])
	}
	if len(found) != 5 {
		t.Fatalf("the four jobs have %d blocks", len(found))
	}
	return found
}

// freeAddress returns an address on loopback where nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

var drawnText = regexp.MustCompile(`>([^<>]+)</text>`)

// TestPictureOfTheJobs checks that the picture is valid XML with a title and a description,
// that it names the four commands in text, and that it fits a page in light and dark mode.
func TestPictureOfTheJobs(t *testing.T) {
	picture := readPage(t, "docs/pictures/jobs.svg")
	for decoder := xml.NewDecoder(strings.NewReader(picture)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	drawn := make(map[string]bool)
	for _, m := range drawnText.FindAllStringSubmatch(picture, -1) {
		for word := range strings.FieldsFuncSeq(m[1], func(r rune) bool { return r == ' ' || r == ',' }) {
			drawn[word] = true
		}
	}
	for _, command := range []string{"backup", "restore", "sync", "serve"} {
		if !drawn[command] {
			t.Errorf("the picture does not name %s", command)
		}
	}
	for _, want := range []string{"<title ", "<desc ", ` width="880" `, "@media (prefers-color-scheme: dark)"} {
		if !strings.Contains(picture, want) {
			t.Errorf("the picture lacks %s", want)
		}
	}
}

// TestHaulerIsAsTheTableSays compares what the README says of hauler with docs/comparison.md.
func TestHaulerIsAsTheTableSays(t *testing.T) {
	table := readPage(t, "docs/comparison.md")
	column := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(row, " | ")
		for i, cell := range cells {
			if strings.HasPrefix(cell, "hauler ") {
				column = i
			}
		}
		for about, want := range map[string]string{"| whole repositories": "—", "| tags by": "name", "| Helm repositories, files": "charts, files"} {
			if cells[0] == about && (column == 0 || cells[column] != want) {
				t.Errorf("hauler: %s is not %q in %s", about, want, row)
			}
		}
	}
}
