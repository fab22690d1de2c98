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
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// indexedJob has the keys of batch/v1 that our example uses.
type indexedJob struct {
	object `yaml:",inline"`
	Spec   struct {
		CompletionMode       string        `yaml:"completionMode"`
		Completions          int           `yaml:"completions"`
		Parallelism          int           `yaml:"parallelism"`
		BackoffLimitPerIndex int           `yaml:"backoffLimitPerIndex"`
		PodFailurePolicy     failurePolicy `yaml:"podFailurePolicy"`
		Template             struct {
			Spec pod `yaml:"spec"`
		} `yaml:"template"`
	} `yaml:"spec"`
}

// failurePolicy has the keys of podFailurePolicy in batch/v1 that our examples use.
type failurePolicy struct {
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
}

// check checks that a spec or a command line that is invalid ends the job, and nothing else
// does: after exit code 3 another pod copies what is missing.
func (p *failurePolicy) check(t *testing.T, container string) {
	t.Helper()
	if len(p.Rules) != 2 || p.Rules[1].Action != "Ignore" || len(p.Rules[1].OnExitCodes.Values) > 0 || p.Rules[1].OnPodConditions[0].Type != "DisruptionTarget" {
		t.Fatalf("%+v", p)
	}
	first := p.Rules[0]
	if on := first.OnExitCodes; first.Action != "FailJob" || on.ContainerName != container || on.Operator != "In" || !slices.Equal(on.Values, []int{int(exit.InvalidUsage)}) {
		t.Errorf("%+v", first)
	}
}

// TestIndexedJob checks the job with one shard in each pod. API servers reject a job with
// backoffLimitPerIndex or podFailurePolicy and another restartPolicy than Never.
func TestIndexedJob(t *testing.T) {
	documents := bytes.Split(readExample(t, "indexed-job.yaml"), []byte("\n---\n"))
	if len(documents) != 4 {
		t.Fatalf("%d documents", len(documents))
	}
	var namespace object
	var settings configMap
	var claim struct {
		object `yaml:",inline"`
		Spec   struct {
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
	if claim.APIVersion+" "+claim.Kind != "v1 PersistentVolumeClaim" || claim.Metadata.Namespace != namespace.Metadata.Name {
		t.Errorf("%+v", claim)
	}
	spec := job.check(t, namespace, settings)
	p := job.Spec.Template.Spec
	p.mounts(t, settings.Metadata.Name, claim.Metadata.Name)
	output, err := spec.OutputPath(time.Now(), "3")
	if data := p.Containers[0].VolumeMounts[2].MountPath; err != nil || filepath.Dir(filepath.Clean(output)) != data {
		t.Errorf("%s is not in %s, %v", output, data, err)
	}
}

// TestIndexedJobOnABucket checks the job whose pods share a layout in a bucket: it has no
// volume for data, and its credentials come from a secret.
func TestIndexedJobOnABucket(t *testing.T) {
	documents := bytes.Split(readExample(t, "indexed-job-s3.yaml"), []byte("\n---\n"))
	if len(documents) != 3 {
		t.Fatalf("%d documents", len(documents))
	}
	var namespace object
	var settings configMap
	var job indexedJob
	for i, into := range []any{&namespace, &settings, &job} {
		strictly(t, documents[i], into)
	}
	spec := job.check(t, namespace, settings)
	p := job.Spec.Template.Spec
	p.mounts(t, settings.Metadata.Name, "")
	output, err := spec.OutputPath(time.Now(), "3")
	if at, e := bucket.ParseLocation(output); err != nil || e != nil || !at.IsLayout() || len(spec.Buckets) != 1 || spec.Buckets[0].Bucket != at.Bucket {
		t.Errorf("%s, %v, %v, %+v", output, err, e, spec.Buckets)
	}
	if from := p.Containers[0].EnvFrom; len(from) != 1 || from[0].SecretRef.Name == "" {
		t.Errorf("%+v", from)
	}
}

// check checks the job, with the objects that it needs, and returns the spec that its pods
// read.
func (job *indexedJob) check(t *testing.T, namespace object, settings configMap) *config.Spec {
	t.Helper()
	for want, got := range map[string]object{"v1 Namespace": namespace, "v1 ConfigMap": settings.object, "batch/v1 Job": job.object} {
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
	s.PodFailurePolicy.check(t, c.Name)
	if labels := namespace.Metadata.Labels; labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Errorf("the namespace has %v", labels)
	}
	restricted(t, p, c)
	return spec
}

// mounts checks that the containers mount volumes of the pod, and that these come from the
// objects of those names. Without a claim there is no volume for data.
func (p *pod) mounts(t *testing.T, configMap, claim string) {
	t.Helper()
	mounts := 3
	if claim == "" {
		mounts = 2
	}
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
		if len(c.VolumeMounts) != mounts || c.Image == "" || c.Resources.Limits["memory"] == "" {
			t.Errorf("%+v", c)
		}
	}
}
