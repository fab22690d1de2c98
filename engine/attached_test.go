package engine_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// verdicts keeps what a run says of each artifact when that is whole or given up.
type verdicts struct {
	engine.Silent
	mu   sync.Mutex // guards all
	said []engine.ArtifactReport
}

func (v *verdicts) Finished(a engine.ArtifactReport) { v.add(a) }
func (v *verdicts) Failed(a engine.ArtifactReport)   { v.add(a) }

func (v *verdicts) add(a engine.ArtifactReport) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.said = append(v.said, a)
}

// TestWhatCosignAttachedIsInTheWordOnItsArtifact: a restore says once of an artifact
// what became of it, with its signatures, and that is what the report says.
func TestWhatCosignAttachedIsInTheWordOnItsArtifact(t *testing.T) {
	for name, hurt := range map[string]func(target *testregistry.Registry, signature string){
		"all is well": func(*testregistry.Registry, string) {},
		"the signature is refused": func(target *testregistry.Registry, signature string) {
			target.Fault(testregistry.Always("PUT manifest", onlyFor(signature, testregistry.Status(http.StatusForbidden, ""))))
		},
		"the signature cannot be asked for": func(target *testregistry.Registry, signature string) {
			target.Fault(testregistry.Always("HEAD manifest", onlyFor(signature, testregistry.Status(http.StatusForbidden, ""))))
		},
		"the image is refused": func(target *testregistry.Registry, _ string) {
			target.Fault(testregistry.Always("PUT manifest", onlyFor("/v1", testregistry.Status(http.StatusForbidden, ""))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
			image := source.Image("app", "v1", []byte("layer"))
			signature := strings.Replace(image.Digest.String(), ":", "-", 1) + ".sig"
			source.Artifact("app", signature, "application/vnd.example.signature", []byte("a signature"))
			source.Image("app", "v2", []byte("another"))
			path := t.TempDir() + "/bundle.tgz"
			backUp(t, path, selections(t, source.Host+"/app"))
			hurt(target, "/"+signature)
			heard := new(verdicts)
			report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{Progress: heard})
			if err != nil || len(report.Artifacts) != 2 || len(heard.said) != 2 {
				t.Fatalf("%v, %d in the report, said: %v", err, len(report.Artifacts), heard.said)
			}
			said := make(map[string]string)
			for _, a := range heard.said {
				said[a.Reference] = fmt.Sprint(a)
			}
			for _, a := range report.Artifacts {
				if said[a.Reference] != fmt.Sprint(a) {
					t.Errorf("said\n%v, in the report is\n%v", said[a.Reference], a)
				}
			}
		})
	}
}

// onlyFor makes a fault that concerns one path alone.
func onlyFor(suffix string, fault testregistry.Fault) testregistry.Fault {
	return func(next http.Handler) http.Handler {
		hurt := fault(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, suffix) {
				hurt.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// TestDryRunNamesNoSignatureOfItsOwn: what cosign attached goes with its artifact, of
// an index with that of its images too, and what it would overwrite is a notice.
func TestDryRunNamesNoSignatureOfItsOwn(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	index, images := fillCosigned(source)
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, source.Host+"/app"))
	tag := strings.Replace(images[0].Digest.String(), ":", "-", 1) + ".sig"
	theirs := target.Artifact("app", tag, "application/vnd.example.signature", []byte("theirs"))
	heard := new(listener)
	report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{DryRun: true, Progress: heard})
	whole(t, report, err)
	if len(report.Artifacts) != 2 || report.Artifacts[0].Digest != index.Digest { // v1 and v2
		t.Errorf("it would restore %+v", report.Artifacts)
	}
	want := target.Host + "/app:" + tag + " would be overwritten, was " + theirs.Digest.String()
	if len(heard.notices) != 1 || heard.notices[0] != want {
		t.Errorf("notices: %q", heard.notices)
	}
}
