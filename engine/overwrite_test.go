package engine_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// overwritten lists what the tags of a report had before, by what they are called.
func overwritten(report *engine.Report) map[string]digest.Digest {
	was := make(map[string]digest.Digest)
	for _, a := range report.Artifacts {
		if a.Overwritten != "" {
			_, name, _ := strings.Cut(a.Target, "/")
			was[name] = a.Overwritten
		}
	}
	return was
}

// TestTagThatHadAnotherDigestIsOverwritten: the report says what it had, a dry run
// what it has, and neither of a tag that is kept, refused, new or the same.
func TestTagThatHadAnotherDigestIsOverwritten(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	for _, tag := range []string{"same", "new", "other"} {
		source.Image("app", tag, []byte(tag))
	}
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, source.Host+"/app"))
	for policy, wanted := range map[string]int{config.ExistingOverwrite: 1, config.ExistingSkip: 0, config.ExistingFail: 0} {
		target := testregistry.New(t, testregistry.Options{})
		target.Image("app", "same", []byte("same"))
		old := target.Image("app", "other", []byte("old"))
		o := engine.RestoreOptions{Targets: []config.Target{{Registry: target.Host, ExistingTags: policy}}, DryRun: true}
		for range 2 {
			report, err := restore.Run(t.Context(), client(0), reopen(t, path), o)
			if err != nil {
				t.Fatal(err)
			}
			was := overwritten(report)
			if len(was) != wanted || wanted > 0 && was["app:other"] != old.Digest || report.Overwritten != wanted {
				t.Errorf("%s, dry run %v: %v overwritten, %d in all", policy, o.DryRun, was, report.Overwritten)
			}
			if o.DryRun && (target.Count("HEAD manifest") != 3 || total(target) != 3) {
				t.Errorf("a dry run asks for %v", target.Counts())
			}
			o.DryRun = false
		}
	}
}

// TestTagThatCouldNotBePushedIsNotOverwritten: it has what it had.
func TestTagThatCouldNotBePushedIsNotOverwritten(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	source.Image("app", "v1", []byte("new"))
	target.Image("app", "v1", []byte("old"))
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, source.Host+"/app"))
	target.Fault(testregistry.Always("PUT manifest", testregistry.Status(http.StatusForbidden, "")))
	report, _ := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{})
	if was := overwritten(report); len(was) > 0 {
		t.Errorf("overwritten: %v", was)
	}
}

// TestSignatureThatIsOverwrittenIsANotice: what stands under a tag of cosign's has no
// line of its own.
func TestSignatureThatIsOverwrittenIsANotice(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	image := source.Image("app", "v1", []byte("layer"))
	tag := strings.Replace(image.Digest.String(), ":", "-", 1) + ".sig"
	source.Artifact("app", tag, "application/vnd.example.signature", []byte("ours"))
	theirs := target.Artifact("app", tag, "application/vnd.example.signature", []byte("theirs"))
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, source.Host+"/app"))
	heard := new(listener)
	report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{Progress: heard})
	whole(t, report, err)
	want := target.Host + "/app:" + tag + " is overwritten, was " + theirs.Digest.String()
	if len(heard.notices) != 1 || heard.notices[0] != want {
		t.Errorf("notices: %q", heard.notices)
	}
}

// TestDryRunOfATargetThatDoesNotAnswer says so once, and waits for nothing.
func TestDryRunOfATargetThatDoesNotAnswer(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	fillMany(source, "many", 40)
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, source.Host+"/many"))
	target.Fault(testregistry.Always("HEAD manifest", testregistry.Status(http.StatusServiceUnavailable, "")))
	clock, heard := newFalseClock(), new(listener)
	report, err := restore.Run(t.Context(), clock.faced(t, 4), reopen(t, path), engine.RestoreOptions{
		Targets: []config.Target{{Registry: target.Host}}, DryRun: true, Progress: heard})
	whole(t, report, err)
	if len(report.Artifacts) != 40 || len(clock.pauses()) > 0 {
		t.Errorf("%d artifacts, pauses %v", len(report.Artifacts), clock.pauses())
	}
	if len(heard.notices) != 1 || !strings.HasPrefix(heard.notices[0], "cannot tell which tags of "+target.Host+" would be overwritten: ") {
		t.Errorf("notices: %q", heard.notices)
	}
}

// TestTargetThatIsASourceIsANoticeBeforeAByteMoves: by repository, whatever the
// registry has beside it.
func TestTargetThatIsASourceIsANoticeBeforeAByteMoves(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("team/app", "v1", []byte("app"))
	r.Image("team/db", "v1", []byte("db"))
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, r.Host+"/team/app", r.Host+"/team/db"))
	for namespace, want := range map[string]string{
		"":       "restoring to sources of the input itself: " + r.Host + "/team/app, " + r.Host + "/team/db",
		"mirror": "",
	} {
		heard := new(listener)
		for _, dry := range []bool{true, false} {
			heard.notices = nil
			_, err := restore.Run(t.Context(), client(0), reopen(t, path), engine.RestoreOptions{
				Targets: []config.Target{{Registry: r.Host, Namespace: namespace}}, DryRun: dry, Progress: heard})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(heard.notices, "; "); got != want {
				t.Errorf("to %q: %q", namespace, got)
			}
		}
	}
	r.Fault(testregistry.Always("HEAD manifest", testregistry.Status(http.StatusForbidden, "")))
	heard := new(listener)
	if _, err := tryRestore(t, reopen(t, path), r.Host, engine.RestoreOptions{Progress: heard}); err == nil || len(heard.notices) != 1 {
		t.Errorf("%v, notices before anything was asked: %q", err, heard.notices)
	}
}
