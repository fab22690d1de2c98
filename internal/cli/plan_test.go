package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/stories"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// planOf runs plan and returns what it prints as JSON.
func planOf(t *testing.T, args ...string) (d planDocument) {
	t.Helper()
	code, stdout, stderr := try(t, "", append([]string{"plan", "--format", "json"}, args...)...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	return d
}

// holds runs what was planned and compares its requests and its report with the plan.
func holds(t *testing.T, d planDocument, r *testregistry.Registry, moved string, args ...string) {
	t.Helper()
	r.ResetCounts()
	code, _, stderr := try(t, "", args...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	made := 0
	for kind, n := range r.Counts() {
		if kind != "range" {
			made += n
		}
	}
	if made != d.Totals.Requests {
		t.Errorf("%v: %d requests, planned were %d: %v", args, made, d.Totals.Requests, r.Counts())
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	summary := lines[len(lines)-1]
	wanted := []string{" " + text.Count(len(d.Artifacts), "artifact"), ": " + text.Bytes(d.Totals.ExpectedBytes) + " " + moved}
	wanted = append(wanted, text.Bytes(d.Totals.SharedBytes)+" shared")
	if d.Totals.ExistingBytes > 0 {
		wanted = append(wanted, text.Bytes(d.Totals.ExistingBytes)+" there already")
	}
	for _, want := range wanted {
		if !strings.Contains(summary, want) {
			t.Errorf("%v: %q, planned was %q", args, summary, want)
		}
	}
}

// TestPlanIsWhatIsDone checks that the numbers of a plan are those of the run that follows.
func TestPlanIsWhatIsDone(t *testing.T) {
	for _, api := range []bool{true, false} {
		source := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api, PageSize: 2})
		target := testregistry.New(t, testregistry.Options{NoReferrersAPI: !api})
		for _, tag := range []string{"v1", "v2", "v3"} {
			stories.Platforms(source, "team/app", tag, [][]byte{[]byte("base")})
		}
		for _, name := range []string{"bundle.tgz", "layout/"} {
			path := t.TempDir() + "/" + name
			for _, sources := range [][]string{{"/team/app:v1"}, {"/team/app"}, {"/team/app"}} {
				args := []string{"-o", path}
				for _, s := range sources {
					args = append(args, source.Host+s)
				}
				holds(t, planOf(t, args...), source, "fetched", append([]string{"backup"}, args...)...)
			}
			for range 2 {
				args := []string{"--input", path, target.Host + "/" + filepath.Base(name)}
				holds(t, planOf(t, args...), target, "pushed", append([]string{"restore"}, args...)...)
			}
		}
	}
}
