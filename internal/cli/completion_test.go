//go:build unix

package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// hostileNames are names that a shell would run or expand if they were offered unquoted.
// Each begins like a reference that a user types.
var hostileNames = []string{
	"h.example/app:$(touch ran)",
	"h.example/app:$(touch${IFS}ran)",
	"h.example/app:`touch ran`",
	"h.example/app;touch ran",
	"h.example/app|touch ran",
	"h.example/app&touch ran;",
	"h.example/app\ntouch ran",
	"h.example/app'$(touch ran)'",
	`h.example/app"$(touch ran)"`,
	`h.example/app\$(touch ran)`,
	"h.example/app (touch ran)",
	"h.example/app <(touch ran)",
	"h.example/{a,$(touch ran)}",
	"h.example/app\x1b[2J$(touch ran)",
}

// interactive lists shells with only our completion.
var interactive = []struct{ name, start, setUp string }{
	{"bash", "bash --norc --noprofile -i", "PS1=\"> \"; set +H; unset HISTFILE; source <(oras-mirror completion bash)"},
	{"zsh", "zsh -f -i", "PS1=\"> \"; autoload -Uz compinit; compinit -u -D; source <(oras-mirror completion zsh)"},
	{"fish", "fish --no-config --private --interactive", "source (oras-mirror completion fish | psub)"},
}

// TestCompletionRunsNothing types, in real shells, the beginning of names out of
// hostile bundles, specs and folders, and presses Tab and Enter.
func TestCompletionRunsNothing(t *testing.T) {
	for _, shell := range interactive {
		t.Run(shell.name, func(t *testing.T) {
			t.Parallel()
			skipped.Without(t, shell.name)
			dir := t.TempDir()
			lines := hostileLines(t, dir)
			p := openPane(t, 200, dir, "HOME="+dir+" "+shell.start+"; echo gone")
			p.enter(shell.setUp)
			p.run("send-keys", "-t", "0", "-l", "oras-mirror restore --input l0 --only ok.\t")
			p.until(`--only ok\.example/app:v1`)
			p.run("send-keys", "-t", "0", "C-c")
			for i, line := range lines {
				p.run("send-keys", "-t", "0", "-l", line+"\t")
				p.enter("")
				p.enter(fmt.Sprintf("echo rea''dy%d.", i))
				p.until(fmt.Sprintf(`ready%d\.`, i))
				if ran := findRan(t, dir); ran != "" {
					t.Fatalf("%q ran code: %s is there\n%s", line, ran, p.until(""))
				}
			}
			p.enter("exit")
			p.until(`(?m)^gone$`)
		})
	}
}

func (p *pane) enter(line string) {
	p.t.Helper()
	if line != "" {
		p.run("send-keys", "-t", "0", "-l", line)
	}
	p.run("send-keys", "-t", "0", "Enter")
}

// findRan returns the path of a file that only a command in a name creates.
func findRan(t *testing.T, dir string) (found string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "ran" {
			found = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// hostileLines makes a bundle, a spec and a folder for each name, with only that name, and
// returns the lines to complete.
func hostileLines(t *testing.T, dir string) []string {
	t.Helper()
	write := func(path, text string) {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	for i, name := range hostileNames {
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		quoted := string(text)
		write(fmt.Sprintf("l%d/oci-layout", i), `{"imageLayoutVersion": "1.0.0"}`)
		write(fmt.Sprintf("l%d/index.json", i), `{"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 2,
			"digest": "`+sum+`", "annotations": {"org.opencontainers.image.ref.name": `+quoted+`}},
			{"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": 2, "digest": "`+sum+`", "annotations": {"org.opencontainers.image.ref.name": "ok.example/app:v1"}}]}`)
		write(fmt.Sprintf("s%d.yaml", i), "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: [a.io/b:c]\ntargets: [{name: "+quoted+", target: b.io}]\n")
		write(fmt.Sprintf("f%d/%s", i, strings.ReplaceAll(name, "/", "_")), "")
		lines = append(lines, fmt.Sprintf("oras-mirror restore --input l%d --only h.", i))
		if i > 0 && i != 3 { // the other ways in show nothing new of each name
			continue
		}
		lines = append(lines,
			fmt.Sprintf("oras-mirror restore --input l%d --only=h.", i),
			fmt.Sprintf("oras-mirror restore --file s%d.yaml h.", i),
			fmt.Sprintf("oras-mirror restore --file s%d.yaml --target h.", i),
			fmt.Sprintf("oras-mirror list --input f%d/h.", i),
			fmt.Sprintf("oras-mirror list --input=f%d/h.", i),
			fmt.Sprintf("oras-mirror list --input f%d/h.example_app:", i),
		)
	}
	return lines
}
