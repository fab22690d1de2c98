package docs

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cli"
)

// parses checks that a command line is valid.
func parses(t *testing.T, args []string) {
	t.Helper()
	parser, err := cli.Grammar()
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

// strictly decodes the only document of a text. An unknown key is an error, as it is for
// kubectl and GitHub.
func strictly(t *testing.T, text []byte, into any) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%v\n%s", err, text)
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

// object has the keys of every Kubernetes object.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name      string            `yaml:"name"`
		Namespace string            `yaml:"namespace"`
		Labels    map[string]string `yaml:"labels"`
	} `yaml:"metadata"`
}

type configMap struct {
	object `yaml:",inline"`
	Data   map[string]string `yaml:"data"`
}

// cronJob has the keys of batch/v1 that our example uses.
type cronJob struct {
	object `yaml:",inline"`
	Spec   struct {
		Schedule          string `yaml:"schedule"`
		ConcurrencyPolicy string `yaml:"concurrencyPolicy"`
		JobTemplate       struct {
			Spec struct {
				BackoffLimit     int           `yaml:"backoffLimit"`
				PodFailurePolicy failurePolicy `yaml:"podFailurePolicy"`
				Template         struct {
					Spec pod `yaml:"spec"`
				} `yaml:"template"`
			} `yaml:"spec"`
		} `yaml:"jobTemplate"`
	} `yaml:"spec"`
}

type pod struct {
	RestartPolicy   string `yaml:"restartPolicy"`
	AutomountToken  *bool  `yaml:"automountServiceAccountToken"`
	SecurityContext struct {
		RunAsNonRoot   bool  `yaml:"runAsNonRoot"`
		RunAsUser      int64 `yaml:"runAsUser"`
		RunAsGroup     int64 `yaml:"runAsGroup"`
		FSGroup        int64 `yaml:"fsGroup"`
		SeccompProfile struct {
			Type string `yaml:"type"`
		} `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers []container `yaml:"containers"`
	Volumes    []struct {
		Name      string `yaml:"name"`
		ConfigMap struct {
			Name string `yaml:"name"`
		} `yaml:"configMap"`
		Secret struct {
			SecretName string `yaml:"secretName"`
			Items      []struct {
				Key  string `yaml:"key"`
				Path string `yaml:"path"`
			} `yaml:"items"`
		} `yaml:"secret"`
		PersistentVolumeClaim struct {
			ClaimName string `yaml:"claimName"`
		} `yaml:"persistentVolumeClaim"`
	} `yaml:"volumes"`
}

type container struct {
	Name            string   `yaml:"name"`
	Image           string   `yaml:"image"`
	Args            []string `yaml:"args"`
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct {
			Drop []string `yaml:"drop"`
		} `yaml:"capabilities"`
	} `yaml:"securityContext"`
	Resources struct {
		Requests map[string]string `yaml:"requests"`
		Limits   map[string]string `yaml:"limits"`
	} `yaml:"resources"`
	Env []struct {
		Name  string `yaml:"name"`
		Value string `yaml:"value"`
	} `yaml:"env"`
	EnvFrom []struct {
		SecretRef struct {
			Name string `yaml:"name"`
		} `yaml:"secretRef"`
	} `yaml:"envFrom"`
	VolumeMounts []struct {
		Name      string `yaml:"name"`
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

func TestCronJob(t *testing.T) {
	documents := bytes.Split(readExample(t, "cronjob.yaml"), []byte("\n---\n"))
	if len(documents) != 2 {
		t.Fatalf("%d documents", len(documents))
	}
	var settings configMap
	var job cronJob
	for i, into := range []any{&settings, &job} {
		strictly(t, documents[i], into)
	}
	for want, got := range map[string]object{"v1 ConfigMap": settings.object, "batch/v1 CronJob": job.object} {
		if got.APIVersion+" "+got.Kind != want || got.Metadata.Name == "" {
			t.Errorf("%+v is no %s", got, want)
		}
	}
	if _, err := config.Parse("mirror.yaml", []byte(settings.Data["mirror.yaml"])); err != nil {
		t.Error(err)
	}
	p := job.Spec.JobTemplate.Spec.Template.Spec
	job.Spec.JobTemplate.Spec.PodFailurePolicy.check(t, p.Containers[0].Name)
	if job.Spec.JobTemplate.Spec.BackoffLimit < 1 {
		t.Error("no pod copies what is missing after exit code 3")
	}
	if !cron.MatchString(job.Spec.Schedule) || job.Spec.ConcurrencyPolicy != "Forbid" || p.RestartPolicy != "Never" || p.SecurityContext.RunAsUser != 65532 {
		t.Errorf("%+v", job)
	}
	volumes := make(map[string]bool)
	for _, v := range p.Volumes {
		volumes[v.Name] = true
		if c := v.ConfigMap.Name; c != "" && c != settings.Metadata.Name {
			t.Errorf("there is no config map %s", c)
		}
	}
	var commands []string
	for _, c := range p.Containers {
		commands = append(commands, c.Args[0])
		parses(t, c.Args)
		for _, mount := range c.VolumeMounts {
			if !volumes[mount.Name] || mount.MountPath == "" {
				t.Errorf("%s mounts %+v, which is no volume", c.Name, mount)
			}
		}
		if len(c.VolumeMounts) != 2 || c.Image == "" || c.Resources.Limits["memory"] == "" || c.Resources.Requests["memory"] == "" || c.Resources.Requests["cpu"] == "" {
			t.Errorf("%+v", c)
		}
		restricted(t, p, c)
	}
	if got := strings.Join(commands, " "); got != "sync" {
		t.Errorf("it runs %s", got)
	}
}

// restricted holds a container against the restricted profile of the Pod Security Standards
// (https://kubernetes.io/docs/concepts/security/pod-security-standards/), and its root file
// system, which the profile leaves open, to reading.
func restricted(t *testing.T, p pod, c container) {
	t.Helper()
	own := c.SecurityContext
	if !p.SecurityContext.RunAsNonRoot || p.SecurityContext.RunAsUser == 0 || p.SecurityContext.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("%+v", p.SecurityContext)
	}
	if own.AllowPrivilegeEscalation == nil || *own.AllowPrivilegeEscalation || !own.ReadOnlyRootFilesystem || !slices.Equal(own.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("%+v", own)
	}
}

// TestCIVetsEverySystem checks that CI vets every system that a release is built for.
func TestCIVetsEverySystem(t *testing.T) {
	for name, lines := range map[string][]string{
		".ci/run":                  {"step make lint"},
		"Makefile":                 {"\tgo vet ./...", "\tGOOS=windows go vet ./...", "\tGOOS=darwin go vet ./..."},
		"internal/release/main.go": {`const platforms = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"`},
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			if !strings.Contains(string(text), "\n"+line+"\n") {
				t.Errorf("%s lacks %q", name, line)
			}
		}
	}
}
