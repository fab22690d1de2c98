package docs

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// namespaced is a Kubernetes object with a namespace, or a namespace with labels.
type namespaced struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name      string            `yaml:"name"`
		Namespace string            `yaml:"namespace"`
		Labels    map[string]string `yaml:"labels"`
	} `yaml:"metadata"`
}

// indexedJob has the keys of batch/v1 that our example uses.
type indexedJob struct {
	namespaced `yaml:",inline"`
	Spec       struct {
		CompletionMode       string `yaml:"completionMode"`
		Completions          int    `yaml:"completions"`
		Parallelism          int    `yaml:"parallelism"`
		BackoffLimitPerIndex int    `yaml:"backoffLimitPerIndex"`
		PodFailurePolicy     struct {
			Rules []struct {
				Action      string `yaml:"action"`
				OnExitCodes struct {
					ContainerName string `yaml:"containerName"`
					Operator      string `yaml:"operator"`
					Values        []int  `yaml:"values"`
				} `yaml:"onExitCodes"`
				OnPodConditions []struct {
					Type string `yaml:"type"`
				} `yaml:"onPodConditions"`
			} `yaml:"rules"`
		} `yaml:"podFailurePolicy"`
		Template struct {
			Spec shardPod `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

// shardPod has the keys of a pod that the job uses.
type shardPod struct {
	RestartPolicy     string `yaml:"restartPolicy"`
	MountServiceToken *bool  `yaml:"automountServiceAccountToken"`
	SecurityContext   struct {
		RunAsNonRoot   bool  `yaml:"runAsNonRoot"`
		RunAsUser      int64 `yaml:"runAsUser"`
		RunAsGroup     int64 `yaml:"runAsGroup"`
		FSGroup        int64 `yaml:"fsGroup"`
		SeccompProfile struct {
			Type string `yaml:"type"`
		} `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers []struct {
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
		VolumeMounts []struct {
			Name      string `yaml:"name"`
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	} `yaml:"containers"`
	Volumes []struct {
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

// TestIndexedJob checks the job with one shard in each pod. API servers reject a job with
// backoffLimitPerIndex or podFailurePolicy and another restartPolicy than Never.
func TestIndexedJob(t *testing.T) {
	documents := bytes.Split(readExample(t, "indexed-job.yaml"), []byte("\n---\n"))
	if len(documents) != 4 {
		t.Fatalf("%d documents", len(documents))
	}
	var namespace namespaced
	var settings struct {
		namespaced `yaml:",inline"`
		Data       map[string]string `yaml:"data"`
	}
	var claim struct {
		namespaced `yaml:",inline"`
		Spec       struct {
			AccessModes []string `yaml:"accessModes"`
			Resources   struct {
				Requests map[string]string `yaml:"requests"`
			} `yaml:"resources"`
		} `yaml:"spec"`
	}
	var job indexedJob
	for i, into := range []any{&namespace, &settings, &claim, &job} {
		strictly(t, documents[i], into)
	}
	for want, got := range map[string]namespaced{"v1 Namespace": namespace, "v1 ConfigMap": settings.namespaced, "v1 PersistentVolumeClaim": claim.namespaced, "batch/v1 Job": job.namespaced} {
		if got.APIVersion+" "+got.Kind != want || got.Metadata.Name == "" || got.Kind != "Namespace" && got.Metadata.Namespace != namespace.Metadata.Name {
			t.Errorf("%+v is no %s", got, want)
		}
	}
	spec, err := config.Parse("mirror.yaml", []byte(settings.Data["mirror.yaml"]))
	if err != nil {
		t.Fatal(err)
	}
	s, p := job.Spec, job.Spec.Template.Spec
	if s.CompletionMode != "Indexed" || s.Parallelism != s.Completions || s.BackoffLimitPerIndex < 1 || p.RestartPolicy != "Never" || len(p.Containers) != 1 {
		t.Fatalf("%+v", s)
	}
	c := p.Containers[0]
	parses(t, c.Args)
	shard := slices.Index(c.Args, "--shard")
	if c.Args[0] != "backup" || shard < 0 || c.Args[shard+1] != fmt.Sprintf("auto/%d", s.Completions) {
		t.Errorf("%d pods run %q", s.Completions, c.Args)
	}
	first := s.PodFailurePolicy.Rules[0]
	if on := first.OnExitCodes; first.Action != "FailJob" || on.ContainerName != c.Name || on.Operator != "In" || !slices.Equal(on.Values, []int{int(exit.InvalidUsage)}) {
		t.Errorf("%+v", first)
	}
	p.mounts(t, settings.Metadata.Name, claim.Metadata.Name)
	output, err := spec.OutputPath(time.Now(), "3")
	if data := c.VolumeMounts[2].MountPath; err != nil || filepath.Dir(filepath.Clean(output)) != data {
		t.Errorf("%s is not in %s, %v", output, data, err)
	}
	p.isRestricted(t, namespace.Metadata.Labels)
}

// mounts checks that the containers mount volumes of the pod, and that these come from the
// objects of those names.
func (p *shardPod) mounts(t *testing.T, configMap, claim string) {
	t.Helper()
	volumes := make(map[string]bool)
	for _, v := range p.Volumes {
		volumes[v.Name] = true
		if c := v.ConfigMap.Name; c != "" && c != configMap {
			t.Errorf("there is no config map %s", c)
		}
		if c := v.PersistentVolumeClaim.ClaimName; c != "" && c != claim {
			t.Errorf("there is no claim %s", c)
		}
	}
	for _, c := range p.Containers {
		for _, mount := range c.VolumeMounts {
			if !volumes[mount.Name] || mount.MountPath == "" {
				t.Errorf("%s mounts %+v, which is no volume", c.Name, mount)
			}
		}
		if len(c.VolumeMounts) != 3 || c.Image == "" || c.Resources.Limits["memory"] == "" {
			t.Errorf("%+v", c)
		}
	}
}

// isRestricted checks a pod against the restricted profile of the Pod Security Standards, as
// far as the example sets these keys: the volumes and the lack of host namespaces follow from
// the structs.
func (p *shardPod) isRestricted(t *testing.T, labels map[string]string) {
	t.Helper()
	if labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Errorf("the namespace has %v", labels)
	}
	if o := p.SecurityContext; !o.RunAsNonRoot || o.RunAsUser == 0 || o.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("%+v", o)
	}
	if p.MountServiceToken == nil || *p.MountServiceToken {
		t.Error("the pods have a token for the API server")
	}
	for _, c := range p.Containers {
		o := c.SecurityContext
		if o.AllowPrivilegeEscalation == nil || *o.AllowPrivilegeEscalation || !slices.Equal(o.Capabilities.Drop, []string{"ALL"}) || !o.ReadOnlyRootFilesystem {
			t.Errorf("%+v", o)
		}
	}
}
