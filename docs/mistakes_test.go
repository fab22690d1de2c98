package docs

import (
	"encoding/base64"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

var update = flag.Bool("update", false, "write what the program answers into docs/troubleshooting.md")

const mistakesPage = "docs/troubleshooting.md"

var mistake = regexp.MustCompile("(?s)(\n## \\d+\\. ([^\n]+)\n.*?```sh\n)(.*?)(```\n\n```text\n)(.*?)(```\n.*?```sh\n)(.*?)```\n")

// The page leaves out notes about retries. A pause of six hours can be a second shorter when
// its error is written.
var (
	retryNote  = regexp.MustCompile(`(?m)^oras-mirror: note: .*: retrying: .*\n`)
	unchanging = strings.NewReplacer("5h59m59s", "6h0m0s", "5 h 59 min", "6 h")
)

// TestMistakes types each mistake of docs/troubleshooting.md, compares the answer with the
// page, and types the way out, which must succeed. The registries are in this process; the
// program connects to them by the names of the page.
func TestMistakes(t *testing.T) {
	page := readPage(t, mistakesPage)
	all := mistake.FindAllStringSubmatch(page, -1)
	if len(all) != 12 || strings.Count(page, "\n## ") != 12 {
		t.Fatalf("the page has %d sections, and %d are complete", strings.Count(page, "\n## "), len(all))
	}
	for _, m := range all {
		title, typed, promised, wayOut := m[2], m[3], m[5], m[7]
		t.Run(title, func(t *testing.T) {
			w := newMistakeWorld(t)
			w.prepare(t, title)
			answer, code := w.types(t, typed)
			answer = unchanging.Replace(retryNote.ReplaceAllString(answer, "")) + fmt.Sprintf("exit code %d\n", code)
			if code == 0 || !*update && answer != promised {
				t.Errorf("the answer is\n%s\nthe page shows\n%s\n(go test ./docs -run TestMistakes -update writes it)", answer, promised)
			}
			if *update {
				page = strings.Replace(page, m[0], m[1]+typed+m[4]+answer+m[6]+wayOut+"```\n", 1)
			}
			w.mend()
			if out, code := w.types(t, wayOut); code != 0 {
				t.Errorf("the way out ends with exit code %d:\n%s", code, out)
			}
		})
	}
	if *update {
		if err := os.WriteFile(mistakesPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// mistakeWorld has what the page supposes: registries by their public names, and files.
type mistakeWorld struct {
	dir, bash          string
	hub, public, other *testregistry.Registry // other asks for a password
	own                *testregistry.Registry
	proxy              string // nothing listens there
}

func newMistakeWorld(t *testing.T) *mistakeWorld {
	w := &mistakeWorld{
		dir: t.TempDir(), bash: skipped.Without(t, "bash"),
		hub: testregistry.New(t, testregistry.Options{}), public: testregistry.New(t, testregistry.Options{}), own: testregistry.New(t, testregistry.Options{}),
		other: testregistry.New(t, testregistry.Options{Username: "me", Password: "new"}),
		proxy: freeAddress(t),
	}
	w.hub.Image("library/alpine", "3.20", []byte("alpine"))
	w.hub.Image("acme/app", "v1", []byte("app"))
	w.public.Image("pause", "3.9", []byte("older"))
	w.public.Image("pause", "3.10", []byte("pause"))
	w.public.Image("acme/app", "v1", []byte("another app"))
	w.public.Image("team/app", "v1", []byte("app"))
	w.public.Image("model", "v1", testregistry.Random("model", 300_000))
	w.other.Image("team/app", "v1", []byte("app"))
	w.write(t, "config.json", fmt.Sprintf(`{"auths": {"registry.corp.example": {"auth": %q}}}`, base64.StdEncoding.EncodeToString([]byte("me:old"))))
	w.write(t, "fresh.json", fmt.Sprintf(`{"auths": {"registry.corp.example": {"auth": %q}}}`, base64.StdEncoding.EncodeToString([]byte("me:new"))))
	return w
}

func (w *mistakeWorld) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// prepare brings about what a section supposes.
func (w *mistakeWorld) prepare(t *testing.T, title string) {
	t.Helper()
	var setup string
	switch title {
	case "A spec or a bundle without its flag":
		w.write(t, "mirror.yaml", "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: ['registry.k8s.io/pause:3.10']\n")
	case "Too many requests to Docker Hub":
		w.hub.Fault(func(*http.Request, int) testregistry.Fault {
			return testregistry.Status(http.StatusTooManyRequests, "21600")
		})
	case "Two sources with one name in the target":
		setup = "oras-mirror backup -o bundle.tgz docker.io/acme/app:v1 ghcr.io/acme/app:v1"
	case "A pattern that the shell expands":
		setup = "oras-mirror backup -o model.tgz --part-size 200KiB registry.k8s.io/model:v1"
	case "A disk that is full":
		if _, err := os.Stat("/dev/full"); err != nil {
			skipped.Test(t, "/dev/full", err)
		}
	case "An archive that is not an OCI layout":
		w.write(t, "manifest.json", `[{"Config": "config.json", "RepoTags": ["alpine:3.20"], "Layers": []}]`)
		setup = "tar cf saved.tar manifest.json && oras-mirror backup -o image/ docker.io/library/alpine:3.20"
	}
	if setup != "" {
		if out, code := w.types(t, setup); code != 0 {
			t.Fatalf("exit code %d: %s", code, out)
		}
	}
}

// mend ends what was wrong with a registry.
func (w *mistakeWorld) mend() { w.hub.Fault(nil) }

// types runs lines of a shell and returns their output and their exit code. The program gets
// the flags that lead it to the registries of this process; logging in and converting, which
// other programs do, change files only.
func (w *mistakeWorld) types(t *testing.T, lines string) (string, int) {
	t.Helper()
	var resolve strings.Builder
	for name, r := range map[string]*testregistry.Registry{"docker.io": w.hub, "registry.k8s.io": w.public, "ghcr.io": w.public, "registry.lab.example": w.public, "registry.corp.example": w.other} {
		fmt.Fprintf(&resolve, " --resolve %s:80:%s --resolve %s:443:%s", name, r.Host, name, r.Host)
	}
	prelude := `oras() { cp fresh.json config.json; }
skopeo() { cp -r image converted; }
oras-mirror() {
	case "${HTTPS_PROXY-}$*" in
	http:*|verify*|validate*) command oras-mirror "$@" ;;
	*lab.example*) command oras-mirror "$@"` + resolve.String() + ` ;;
	*) command oras-mirror "$@" --plain-http` + resolve.String() + ` ;;
	esac
}
`
	own, proxy := "localhost:5000", "127.0.0.1:3128"
	cmd := exec.CommandContext(t.Context(), w.bash, "-euo", "pipefail", "-c", prelude+strings.NewReplacer(own, w.own.Host, proxy, w.proxy).Replace(lines))
	cmd.Dir = w.dir
	cmd.Env = append(os.Environ(), "HOME="+w.dir, "DOCKER_CONFIG="+w.dir, "XDG_RUNTIME_DIR="+w.dir, "REGISTRY_AUTH_FILE=", "HTTPS_PROXY=", "HTTP_PROXY=", "NO_PROXY=", "GORACE=atexit_sleep_ms=0", "CI=1")
	out, err := cmd.CombinedOutput()
	code := 0
	if failed, ok := err.(*exec.ExitError); ok {
		code = failed.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(w.own.Host, own, w.proxy, proxy).Replace(string(out)), code
}
