package docs

import (
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/internal/stories"
)

// workflow has the keys of GitHub's "Workflow syntax for GitHub Actions" that our example uses.
type workflow struct {
	Name string `yaml:"name"`
	On   struct {
		Push struct {
			Branches []string `yaml:"branches"`
			Paths    []string `yaml:"paths"`
		} `yaml:"push"`
		PullRequest struct {
			Paths []string `yaml:"paths"`
		} `yaml:"pull_request"`
		Schedule []struct {
			Cron string `yaml:"cron"`
		} `yaml:"schedule"`
	} `yaml:"on"`
	Permissions map[string]string      `yaml:"permissions"`
	Concurrency string                 `yaml:"concurrency"`
	Jobs        map[string]workflowJob `yaml:"jobs"`
}

type workflowJob struct {
	If             string            `yaml:"if"`
	RunsOn         string            `yaml:"runs-on"`
	TimeoutMinutes int               `yaml:"timeout-minutes"`
	Permissions    map[string]string `yaml:"permissions"`
	Steps          []workflowStep    `yaml:"steps"`
}

type workflowStep struct {
	Name string            `yaml:"name"`
	ID   string            `yaml:"id"`
	Uses string            `yaml:"uses"`
	With map[string]string `yaml:"with"`
	Run  string            `yaml:"run"`
	If   string            `yaml:"if"`
	Env  map[string]string `yaml:"env"`
}

// commandsIn returns the commands of oras-mirror in a script, and checks that each is valid and
// that the script is.
func commandsIn(t *testing.T, script string) []string {
	t.Helper()
	checkShell(t, script)
	var commands []string
	for line := range strings.Lines(script) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " || ")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		for _, args := range stories.CommandLines(strings.ReplaceAll(line, " 2>&1", "")) {
			commands = append(commands, args[0])
			parses(t, args)
		}
	}
	return commands
}

func TestGitHubAction(t *testing.T) {
	var w workflow
	strictly(t, readExample(t, "github-action.yaml"), &w)
	if w.Name == "" || len(w.On.Push.Paths) == 0 || len(w.On.Schedule) != 1 || !cron.MatchString(w.On.Schedule[0].Cron) {
		t.Errorf("%+v", w)
	}
	if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
		t.Errorf("each job may %v", w.Permissions)
	}
	for name, want := range map[string]string{"review": "validate lock plan", "lock": "lock lock", "backup": "backup verify"} {
		job := w.Jobs[name]
		if job.RunsOn == "" || job.TimeoutMinutes == 0 || job.If == "" {
			t.Errorf("%s: %+v", name, job)
		}
		var commands []string
		for _, step := range job.Steps {
			if (step.Uses == "") == (step.Run == "") || step.Uses != "" && !strings.Contains(step.Uses, "@") {
				t.Errorf("%+v", step)
			}
			if strings.Contains(step.Run, "${{") {
				t.Errorf("%s: what others write could become a command: %s", step.Name, step.Run)
			}
			commands = append(commands, commandsIn(t, step.Run)...)
		}
		if got := strings.Join(commands, " "); got != want {
			t.Errorf("%s runs %s", name, got)
		}
	}
	if len(w.Jobs) != 3 {
		t.Errorf("%d jobs", len(w.Jobs))
	}
}

// pipeline has the keys of GitLab's "CI/CD YAML syntax reference" that our example uses. The
// other keys are jobs.
type pipeline struct {
	Default struct {
		Image        string   `yaml:"image"`
		BeforeScript []string `yaml:"before_script"`
	} `yaml:"default"`
	Stages []string `yaml:"stages"`

	Jobs map[string]pipelineJob `yaml:",inline"`
}

type pipelineJob struct {
	Stage string `yaml:"stage"`
	Rules []struct {
		If      string   `yaml:"if"`
		Changes []string `yaml:"changes"`
	} `yaml:"rules"`
	Needs         []string `yaml:"needs"`
	ResourceGroup string   `yaml:"resource_group"`
	Timeout       string   `yaml:"timeout"`
	Script        []string `yaml:"script"`
	Artifacts     struct {
		When     string   `yaml:"when"`
		Paths    []string `yaml:"paths"`
		ExpireIn string   `yaml:"expire_in"`
	} `yaml:"artifacts"`
}

func TestGitLabPipeline(t *testing.T) {
	var p pipeline
	strictly(t, readExample(t, "gitlab-ci.yaml"), &p)
	for name, want := range map[string]string{"review": "validate lock plan", "lock": "lock lock", "mirror": "backup restore"} {
		job := p.Jobs[name]
		if len(job.Rules) == 0 || job.Rules[0].If == "" || job.Stage != name {
			t.Errorf("%s: %+v", name, job)
		}
		if got := strings.Join(commandsIn(t, strings.Join(job.Script, "\n")), " "); got != want {
			t.Errorf("%s runs %s", name, got)
		}
	}
	commandsIn(t, strings.Join(p.Default.BeforeScript, "\n"))
	if len(p.Jobs) != 3 || strings.Join(p.Stages, " ") != "review lock mirror" || p.Default.Image == "" {
		t.Errorf("%+v", p)
	}
	if a := p.Jobs["mirror"].Artifacts; a.When != "always" || len(a.Paths) != 2 {
		t.Errorf("after exit code 3 the reports are gone: %+v", a)
	}
}

// hook has the keys of a file .pre-commit-hooks.yaml that ours uses.
type hook struct {
	ID          string `yaml:"id"`
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	Language    string `yaml:"language"`
	Entry       string `yaml:"entry"`
	Files       string `yaml:"files"`
}

func hooks(t *testing.T) []hook {
	t.Helper()
	var all []hook
	decoder := yaml.NewDecoder(strings.NewReader(readPage(t, ".pre-commit-hooks.yaml")))
	decoder.KnownFields(true)
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}
