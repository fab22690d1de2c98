package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/config"
)

// parses checks that a command line is one.
func parses(t *testing.T, args []string) {
	t.Helper()
	parser, err := newParser(t.Context(), &ui{stdout: io.Discard, stderr: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("%q: %v", args, err)
	}
}

func readExample(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("docs/examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// workflow is what matters of a GitHub workflow.
type workflow struct {
	Name string
	On   struct {
		Push     struct{ Paths []string }
		Schedule []struct{ Cron string }
	}
	Jobs map[string]struct {
		RunsOn string `yaml:"runs-on"`
		Steps  []struct {
			Name, Uses, Run, If string
			With                map[string]string
			Env                 map[string]string
		}
	}
}

func TestGitHubAction(t *testing.T) {
	var w workflow
	if err := yaml.Unmarshal(readExample(t, "github-action.yaml"), &w); err != nil {
		t.Fatal(err)
	}
	if w.Name == "" || len(w.On.Push.Paths) == 0 || len(w.On.Schedule) != 1 || !cron.MatchString(w.On.Schedule[0].Cron) {
		t.Errorf("%+v", w)
	}
	var commands []string
	for _, job := range w.Jobs {
		if job.RunsOn == "" {
			t.Error("a job runs nowhere")
		}
		for _, step := range job.Steps {
			if (step.Uses == "") == (step.Run == "") || step.Uses != "" && !strings.Contains(step.Uses, "@") {
				t.Errorf("%+v", step)
			}
			checkShell(t, step.Run)
			for line := range strings.Lines(step.Run) {
				for _, args := range commandLines(strings.TrimSpace(line)) {
					commands = append(commands, args[0])
					parses(t, args)
				}
			}
		}
	}
	if got := strings.Join(commands, " "); got != "validate backup verify" {
		t.Errorf("it runs %s", got)
	}
}

var cron = regexp.MustCompile(`^\d+ \d+ \S+ \S+ \S+$`)

func checkShell(t *testing.T, script string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-n")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil && !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("%v: %s\n%s", err, out, script)
	}
}

// container is what matters of one in a pod.
type container struct {
	Name, Image  string
	Args         []string
	VolumeMounts []struct{ Name string } `yaml:"volumeMounts"`
}

// cluster is what matters of the documents for a cluster, all kinds in one.
type cluster struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Data       map[string]string
	Spec       struct {
		Schedule    string
		JobTemplate struct {
			Spec struct {
				Template struct {
					Spec struct {
						RestartPolicy  string      `yaml:"restartPolicy"`
						InitContainers []container `yaml:"initContainers"`
						Containers     []container
						Volumes        []struct{ Name string }
					}
				}
			}
		} `yaml:"jobTemplate"`
	}
}

func TestCronJob(t *testing.T) {
	documents := make(map[string]cluster)
	for decoder := yaml.NewDecoder(bytes.NewReader(readExample(t, "cronjob.yaml"))); ; {
		var c cluster
		err := decoder.Decode(&c)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		documents[c.APIVersion+" "+c.Kind] = c
	}
	if _, err := config.Parse("mirror.yaml", []byte(documents["v1 ConfigMap"].Data["mirror.yaml"])); err != nil {
		t.Error(err)
	}
	job := documents["batch/v1 CronJob"].Spec
	pod := job.JobTemplate.Spec.Template.Spec
	if !cron.MatchString(job.Schedule) || pod.RestartPolicy != "Never" || len(documents) != 3 {
		t.Errorf("%+v", job)
	}
	volumes := make(map[string]bool)
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	var commands []string
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		commands = append(commands, c.Args[0])
		parses(t, c.Args)
		for _, mount := range c.VolumeMounts {
			if !volumes[mount.Name] {
				t.Errorf("%s mounts %s, which is no volume", c.Name, mount.Name)
			}
		}
		if len(c.VolumeMounts) != 3 || c.Image == "" {
			t.Errorf("%+v", c)
		}
	}
	if got := strings.Join(commands, " "); got != "backup restore" {
		t.Errorf("it runs %s", got)
	}
}

// TestDockerfile holds what the image is said to be.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, final, ok := strings.Cut(string(text), "\nFROM scratch\n")
	if !ok || strings.Contains(final, "FROM ") || strings.Contains(final, "RUN ") {
		t.Error("the image is not from scratch")
	}
	for _, want := range []string{"/etc/ssl/certs/ca-certificates.crt\n", "/oras-mirror /oras-mirror\n", `ENTRYPOINT ["/oras-mirror"]`, "USER 65532:65532\n", " /tmp\n"} {
		if !strings.Contains(final, want) {
			t.Errorf("it lacks %q", want)
		}
	}
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(module)
	if !strings.Contains(string(text), "golang:"+string(version[1])+" ") || !strings.Contains(string(text), "CGO_ENABLED=0") {
		t.Error("it is not built as a release is")
	}
}
