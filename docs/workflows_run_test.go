package docs

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// checkout is a clone of a repository with a spec and its lock, on a machine of CI: with git,
// and with gh and curl that only record what they are asked.
type checkout struct {
	from, to *testregistry.Registry
	dir      string // of the clone
	origin   string // the repository that it pushes to
	bin      string // of gh and curl
	bash     string
	env      []string
}

// newCheckout returns a checkout whose spec selects the repositories app and broken.
func newCheckout(t *testing.T) *checkout {
	t.Helper()
	c := &checkout{bash: skipped.Without(t, "bash"), dir: t.TempDir(), origin: t.TempDir(), bin: t.TempDir()}
	skipped.Without(t, "git")
	c.from, c.to = testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	c.from.Image("app", "v1", []byte("app"))
	c.from.Image("broken", "v1", []byte("broken"))
	c.write(t, filepath.Join(c.dir, "mirror.yaml"), fmt.Sprintf(
		"apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources: ['%s/app', '%s/broken']\ntargets: [%s/mirror]\n", c.from.Host, c.from.Host, c.to.Host))
	for _, name := range []string{"gh", "curl"} {
		c.write(t, filepath.Join(c.bin, name), `#!/bin/sh
echo "`+name+` $*" >>"$CALLS"
case "$1 $2 $3" in "pr list "*|"api repos/"*" --paginate") cat "$CALLS.open" ;; esac
for body in comment.md body.md; do [ ! -e $body ] || cp $body "$CALLS.body"; done
`)
	}
	c.write(t, c.calls()+".open", "")
	c.env = append(os.Environ(), "PATH="+c.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+c.bin, "CALLS="+c.calls(), "GORACE=atexit_sleep_ms=0",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@x.example", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@x.example",
		"GITHUB_OUTPUT="+c.calls()+".output", "GITHUB_STEP_SUMMARY="+c.calls()+".summary")
	c.must(t, `git init -q --bare "`+c.origin+`" && git init -q -b main . && git remote add origin "`+c.origin+`"`)
	c.must(t, "oras-mirror lock -f mirror.yaml && git add . && git commit -qm spec && git push -q origin main")
	return c
}

func (c *checkout) calls() string { return filepath.Join(c.bin, "calls") }

func (c *checkout) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// read returns the content of a file; "" without one.
func (c *checkout) read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// sh runs a script as GitHub and GitLab run one, and returns its exit code.
func (c *checkout) sh(t *testing.T, script string, env ...string) (int, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c.bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env = c.dir, append(c.env[:len(c.env):len(c.env)], env...)
	out, err := cmd.CombinedOutput()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (c *checkout) must(t *testing.T, script string) string {
	t.Helper()
	code, out := c.sh(t, script)
	if code != 0 {
		t.Fatalf("exit code %d of %s\n%s", code, script, out)
	}
	return out
}

// fail makes the registry answer each request for a repository with a status.
func (c *checkout) fail(repository string, status int) {
	c.from.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if repository == "" || strings.Contains(req.URL.Path, "/"+repository+"/") {
			return testregistry.Status(status, "")
		}
		return nil
	})
}

// job runs the steps of a job of GitHub, and returns the exit code of the one that failed, with
// its name, and the output of all. A step that uses an action is noted as a call.
func (c *checkout) job(t *testing.T, job workflowJob) (code int, at, all string) {
	t.Helper()
	c.write(t, c.calls()+".output", "")
	for _, step := range job.Steps {
		if step.Uses != "" {
			c.write(t, c.calls(), c.read(t, c.calls())+"uses "+step.Uses+"\n")
			continue
		}
		if strings.HasPrefix(step.Run, "go install ") {
			continue
		}
		var own []string
		for name, value := range step.Env {
			value = strings.NewReplacer("${{ github.repository }}", "a/b", "${{ github.event.pull_request.number }}", "7").Replace(value)
			for line := range strings.Lines(c.read(t, c.calls()+".output")) {
				output, is, _ := strings.Cut(strings.TrimSpace(line), "=")
				value = strings.ReplaceAll(value, "${{ steps."+step.uses(job)+".outputs."+output+" }}", is)
			}
			if strings.Contains(value, "${{ secrets.") {
				value = ""
			}
			own = append(own, name+"="+value)
		}
		code, out := c.sh(t, step.Run, own...)
		if all += out; code != 0 {
			return code, step.Name, all
		}
	}
	return 0, "", all
}

// uses returns the id of the step whose outputs a step uses.
func (s workflowStep) uses(job workflowJob) string {
	for _, other := range job.Steps {
		for _, value := range s.Env {
			if other.ID != "" && strings.Contains(value, "steps."+other.ID+".") {
				return other.ID
			}
		}
	}
	return "none"
}

func gitHub(t *testing.T) map[string]workflowJob {
	t.Helper()
	var w workflow
	strictly(t, readExample(t, "github-action.yaml"), &w)
	return w.Jobs
}

// TestGitHubBackupRuns: what is there is verified and uploaded with exit code 3 and 4, too, and
// the job fails with that code at its end.
func TestGitHubBackupRuns(t *testing.T) {
	for _, test := range []struct {
		name, repository string
		status, code     int
		at               string // the step that fails
		uploads          bool
	}{
		{name: "all is well", repository: "nothing", status: 500, uploads: true},
		{name: "one is denied", repository: "broken", status: 403, code: 3, at: "Fail if artifacts failed", uploads: true},
		{name: "one is gone", repository: "broken", status: 404, code: 4, at: "Fail if artifacts failed", uploads: true},
		{name: "all are denied", status: 403, code: 1, at: "Back up"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCheckout(t)
			c.fail(test.repository, test.status)
			code, at, out := c.job(t, gitHub(t)["backup"])
			uploaded := strings.Contains(c.read(t, c.calls()), "uses actions/upload-artifact@")
			if code != test.code || at != test.at || uploaded != test.uploads {
				t.Errorf("exit code %d in %q, uploaded: %v\n%s", code, at, uploaded, out)
			}
			if got := c.read(t, filepath.Join(c.dir, "report.json")); !strings.Contains(got, `"kind": "Report"`) {
				t.Errorf("report: %s", got)
			}
			if test.uploads && !strings.Contains(out, "bundle.tgz: ") {
				t.Errorf("the bundle is not verified:\n%s", out)
			}
		})
	}
}

// TestGitHubReviewRuns: the comment has the result of lock --check and the plan, and the check
// fails with exit code 4 after it.
func TestGitHubReviewRuns(t *testing.T) {
	c := newCheckout(t)
	code, at, out := c.job(t, gitHub(t)["review"])
	c.write(t, c.calls()+".open", "99\n100\n")
	if code != 0 {
		t.Errorf("exit code %d in %q\n%s", code, at, out)
	}
	for range 2 {
		c.from.Image("app", "v2", []byte("new"))
		if code, at, out = c.job(t, gitHub(t)["review"]); code != 4 || at != "Fail if the lock is out of date" {
			t.Errorf("exit code %d in %q\n%s", code, at, out)
		}
	}
	calls, body := c.read(t, c.calls()), c.read(t, c.calls()+".body")
	if !strings.Contains(calls, "gh pr comment 7 --body-file comment.md\n") || !strings.Contains(calls, "gh api --silent --method PATCH repos/a/b/issues/comments/99 --field body=@comment.md\n") {
		t.Errorf("%s", calls)
	}
	for _, want := range []string{"<!-- mirror-review -->\n### lock --check: exit code 4\n\n```\n", "+ " + c.from.Host + "/app:v2 sha256:", "### plan: exit code 0\n\n```\n", "3 artifacts"} {
		if !strings.Contains(body, want) || !strings.Contains(c.read(t, c.calls()+".summary"), want) {
			t.Errorf("the comment lacks %q:\n%s", want, body)
		}
	}
	c.fail("broken", 403)
	if code, at, out = c.job(t, gitHub(t)["review"]); code == 0 || code == 4 || !strings.Contains(c.read(t, c.calls()+".body"), "403") {
		t.Errorf("exit code %d in %q\n%s", code, at, out)
	}
}

// TestGitHubLockRuns: the night opens a pull request with the new lock, or changes the one that
// is open, and only if there is something new.
func TestGitHubLockRuns(t *testing.T) {
	c := newCheckout(t)
	if code, at, out := c.job(t, gitHub(t)["lock"]); code != 0 || strings.Contains(c.read(t, c.calls()), "gh") {
		t.Errorf("exit code %d in %q\n%s%s", code, at, out, c.read(t, c.calls()))
	}
	for i, want := range []string{"gh pr create --head oras-mirror/lock ", "gh pr edit oras-mirror/lock "} {
		c.must(t, "git switch -q main && git clean -qfd")
		c.from.Image("app", fmt.Sprintf("v%d", 2+i), []byte("new"))
		if code, at, out := c.job(t, gitHub(t)["lock"]); code != 0 || !strings.Contains(c.read(t, c.calls()), want) {
			t.Errorf("exit code %d in %q\n%s%s", code, at, out, c.read(t, c.calls()))
		}
		c.write(t, c.calls()+".open", "12\n")
		if body := c.read(t, c.calls()+".body"); !strings.Contains(body, fmt.Sprintf("+ %s/app:v%d sha256:", c.from.Host, 2+i)) {
			t.Errorf("the pull request says\n%s", body)
		}
		c.checkNewLock(t)
	}
	c.fail("broken", 403)
	c.must(t, "git switch -q main && git clean -qfd")
	if code, _, out := c.job(t, gitHub(t)["lock"]); code != 1 {
		t.Errorf("exit code %d\n%s", code, out)
	}
}

// checkNewLock checks that the branch with the new lock is pushed, changes nothing else, and
// has the lock that the spec has now.
func (c *checkout) checkNewLock(t *testing.T) {
	t.Helper()
	if files := c.must(t, `git --git-dir "`+c.origin+`" diff --name-only main oras-mirror/lock`); files != "mirror.lock.yaml\n" {
		t.Errorf("the branch changes %s", files)
	}
	c.must(t, "git checkout -q origin/oras-mirror/lock && oras-mirror lock -f mirror.yaml --check")
}

func gitLab(t *testing.T, name string) string {
	t.Helper()
	var p pipeline
	strictly(t, readExample(t, "gitlab-ci.yaml"), &p)
	return strings.Join(p.Jobs[name].Script, "\n")
}

// TestGitLabMirrorRuns: the others are restored with exit code 3 and 4, too.
func TestGitLabMirrorRuns(t *testing.T) {
	for _, test := range []struct {
		name, repository string
		status, code     int
		restored         string
	}{
		{"all is well", "nothing", 500, 0, "mirror/app mirror/broken"},
		{"one is denied", "broken", 403, 3, "mirror/app"},
		{"one is gone", "broken", 404, 4, "mirror/app"},
		{"all are denied", "", 403, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCheckout(t)
			c.fail(test.repository, test.status)
			code, out := c.sh(t, gitLab(t, "mirror"))
			if got := strings.Join(restoredTo(c.to, "mirror/app", "mirror/broken"), " "); code != test.code || got != test.restored {
				t.Errorf("exit code %d, restored %q\n%s", code, got, out)
			}
		})
	}
	c := newCheckout(t)
	c.to.Fault(testregistry.Always("PUT manifest", testregistry.Status(403, "")))
	if code, out := c.sh(t, gitLab(t, "mirror")); code != 1 {
		t.Errorf("a restore that fails: exit code %d\n%s", code, out)
	}
}

// restoredTo returns the repositories that have a tag.
func restoredTo(r *testregistry.Registry, repositories ...string) []string {
	var found []string
	for _, repository := range repositories {
		if len(r.Tags(repository)) > 0 {
			found = append(found, repository)
		}
	}
	return found
}

// TestGitLabReviewAndLockRun runs the other two jobs.
func TestGitLabReviewAndLockRun(t *testing.T) {
	c := newCheckout(t)
	gitLabEnv := []string{"MIRROR_TOKEN=secret", "CI_API_V4_URL=https://gitlab.example/api/v4", "CI_PROJECT_ID=3", "CI_MERGE_REQUEST_IID=7",
		"CI_SERVER_HOST=gitlab.example", "CI_PROJECT_PATH=a/b", "CI_DEFAULT_BRANCH=main"}
	if code, out := c.sh(t, gitLab(t, "review"), gitLabEnv...); code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if code, out := c.sh(t, gitLab(t, "lock"), gitLabEnv...); code != 0 || strings.Contains(out, "push") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	c.from.Image("app", "v2", []byte("new"))
	if code, out := c.sh(t, gitLab(t, "review"), gitLabEnv...); code != 4 || !strings.Contains(out, "app:v2") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if calls := c.read(t, c.calls()); !strings.Contains(calls, "--form body=<comment.md https://gitlab.example/api/v4/projects/3/merge_requests/7/notes\n") {
		t.Errorf("%s", calls)
	}
	// git sends what goes to that server to the repository of the test, which does not know
	// the options of GitLab.
	c.must(t, `git config --global url."`+c.origin+`".insteadOf https://oauth2:secret@gitlab.example/a/b.git && git --git-dir "`+c.origin+`" config receive.advertisePushOptions true`)
	if code, out := c.sh(t, gitLab(t, "lock"), gitLabEnv...); code != 0 {
		t.Errorf("exit code %d\n%s", code, out)
	}
	c.must(t, "git fetch -q origin")
	c.checkNewLock(t)
	if calls := c.read(t, c.calls()); strings.Contains(calls, "gh ") {
		t.Errorf("%s", calls)
	}
}
