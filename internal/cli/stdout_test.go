//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProductThatGoesNowhereIsAnError closes the standard output of commands that print
// their product there, and then redirects it to /dev/null.
func TestProductThatGoesNowhereIsAnError(t *testing.T) {
	layout, err := filepath.Abs("testdata/layout")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	spec := "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: [{layout: " + layout + "}]\ntargets: [localhost:1]\n"
	if err := os.WriteFile("mirror.yaml", []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	for command, saysItByExitCode := range map[string]bool{
		"backup -f mirror.yaml -o -":                           false,
		"backup -f mirror.yaml -o /dev/stdout":                 false,
		"backup -f mirror.yaml -o x.tgz --format json":         false,
		"backup -f mirror.yaml -o x.tgz --report /dev/stdout":  false,
		"restore --input " + layout + " --dry-run localhost:1": false,
		"list --input " + layout:                               false,
		"list --input " + layout + " --format json":            false,
		"plan -f mirror.yaml":                                  false,
		"plan -f mirror.yaml --format json":                    false,
		"diff --format json " + layout + " " + layout:          false,
		"client-config -f mirror.yaml --format podman":         false,
		"init":                                   false,
		"schema":                                 false,
		"man":                                    false,
		"completion bash":                        false,
		"version --format json":                  false,
		"diff mirror.yaml " + layout:             true,
		"version":                                true,
		"help list":                              true,
		"list --help":                            true,
		"verify --input " + layout:               true,
		"verify --format json --input " + layout: false,
		"validate -f mirror.yaml --format json":  false,
	} {
		ways := map[string]string{">&-": "1", ">/dev/null": "0"}
		if saysItByExitCode {
			ways[">&-"] = "0"
		}
		for redirection, want := range ways {
			cmd := exec.CommandContext(t.Context(), "sh", "-c", "oras-mirror "+command+" "+redirection+"; echo exit $? >&2")
			cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.HasSuffix(string(out), "exit "+want+"\n") {
				t.Errorf("%s %s: %v\n%s", command, redirection, err, out)
			}
			if want == "1" && strings.Count(string(out), "standard output is closed") != 1 {
				t.Errorf("%s %s says\n%s", command, redirection, out)
			}
			if _, err := os.Stat("x.tgz"); want == "1" && err == nil {
				t.Errorf("%s %s made an archive", command, redirection)
			}
			_ = os.Remove("x.tgz")
		}
	}
}
