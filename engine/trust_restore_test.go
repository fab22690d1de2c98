package engine_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/sync"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/internal/trust"
	"github.com/oras-mirror/oras-mirror/store"
)

// inputKind is the form in which a restore gets its input.
type inputKind string

const (
	fromLayout  inputKind = "layout/"
	fromArchive inputKind = "bundle.tgz"
	fromPipe    inputKind = "pipe"
)

var inputKinds = []inputKind{fromLayout, fromArchive, fromPipe}

// fill backs up everything without a policy, and returns the path.
func (k inputKind) fill(t *testing.T, all []config.Selection) string {
	t.Helper()
	path := t.TempDir() + "/" + string(k)
	if k == fromPipe {
		path += ".tgz"
	}
	backUp(t, path, all)
	return path
}

// open opens what fill wrote.
func (k inputKind) open(t *testing.T, path string) store.Input {
	t.Helper()
	if k != fromPipe {
		in, err := store.OpenLayout(path, store.OpenOptions{TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = in.Close() })
		return in
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	in, err := store.OpenStream(f, store.OpenOptions{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	return in
}

// TestSignedArtifactsAreRestored from any input, with their signatures, however these are kept.
func TestSignedArtifactsAreRestored(t *testing.T) {
	for _, kind := range inputKinds {
		for _, where := range []place{asTag, asReferrer} {
			t.Run(string(kind)+string(where), func(t *testing.T) {
				source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
				key := newSigner(t)
				image := source.Image("app", "", []byte("layer"))
				index := source.Index("app", "v1", image)
				key.sign(source, "app", image, where)
				signature := key.sign(source, "app", index, where)
				policy := key.policy("**")
				policy.Signed = engine.SignedImages
				path := kind.fill(t, selections(t, source.Host+"/app:v1"))
				for range 2 { // the second finds everything in the target
					report, err := tryRestore(t, kind.open(t, path), target.Host, engine.RestoreOptions{Trust: trusting(t, policy)})
					for _, f := range report.Failures() {
						t.Log(f.Err)
					}
					whole(t, report, err)
					if got := report.Artifacts[0].SignedBy; len(report.Artifacts) != 1 || !slices.Equal(got, []string{key.line()}) {
						t.Errorf("%d artifacts, signed by %q", len(report.Artifacts), got)
					}
				}
				if !target.Has("app", index) || !target.Has("app", signature) {
					t.Error("the target lacks the image or its signature")
				}
			})
		}
	}
}

// TestCheckSignatures reports each artifact that a policy asks about.
func TestCheckSignatures(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	key := newSigner(t)
	key.sign(source, "good", source.Image("good", "v1", []byte("layer")), asTag)
	source.Image("bad", "v1", []byte("layer"))
	source.Image("free", "v1", []byte("layer"))
	policies := trusting(t, trust.Policy{Match: []string{"*/free"}, Accept: trust.AcceptUnsigned}, key.policy("**"))
	for _, kind := range inputKinds {
		in := kind.open(t, kind.fill(t, selections(t, source.Host+"/good:v1", source.Host+"/bad:v1", source.Host+"/free:v1")))
		all := checkSignatures(t, in, policies)
		bad := 0
		for _, a := range all {
			if a.Err != nil {
				bad++
			}
		}
		if len(all) != 2 || bad != 1 {
			t.Errorf("%s: %+v", kind, all)
		}
	}
}

// TestReferrersOfRefusedArtifacts are not counted, whatever the input: a pipe brings them before
// it is known that their artifact is refused.
func TestReferrersOfRefusedArtifacts(t *testing.T) {
	for _, kind := range inputKinds {
		for _, where := range []place{asTag, asReferrer, asBundle} {
			t.Run(strings.Trim(string(kind), "/")+" "+string(where), func(t *testing.T) {
				source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
				key := newSigner(t)
				key.sign(source, "good", source.Image("good", "v1", []byte("good")), where)
				newSigner(t).sign(source, "bad", source.Image("bad", "v1", []byte("bad")), where)
				path := kind.fill(t, selections(t, source.Host+"/good:v1", source.Host+"/bad:v1"))
				report, err := tryRestore(t, kind.open(t, path), target.Host, engine.RestoreOptions{Trust: trusting(t, key.policy("**"))})
				if err != nil {
					t.Fatal(err)
				}
				if len(report.Failures()) != 1 || report.Referrers != 1 || report.Expected != 1 {
					t.Errorf("%d of %d referrers, failures %+v", report.Referrers, report.Expected, report.Failures())
				}
				if bad := report.Failures()[0]; bad.Bytes != 0 || bad.Expected != 0 {
					t.Errorf("%+v", bad)
				}
			})
		}
	}
}

// TestSignaturesOfARefusedIndex: those of its images belong to it, and are no artifacts beside it,
// not even if a policy accepts another index of the same images.
func TestSignaturesOfARefusedIndex(t *testing.T) {
	for _, kind := range inputKinds {
		for _, dry := range []bool{false, true} {
			for _, signed := range []string{"", "v1", "v2"} {
				t.Run(fmt.Sprint(strings.Trim(string(kind), "/"), ", dry ", dry, ", signed ", signed), func(t *testing.T) {
					source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
					key, other := newSigner(t), newSigner(t)
					image := source.Image("app", "", []byte("layer"))
					signature := other.sign(source, "app", image, asTag)
					for _, tag := range []string{"v1", "v2"} {
						by := other
						if tag == signed {
							by = key
						}
						by.sign(source, "app", source.Index("app", tag, image, source.Image("app", "", []byte(tag))), asTag)
					}
					path := kind.fill(t, selections(t, source.Host+"/app:v1", source.Host+"/app:v2"))
					report, err := tryRestore(t, kind.open(t, path), target.Host, engine.RestoreOptions{Trust: trusting(t, key.policy("**")), DryRun: dry})
					if err != nil && !errors.Is(err, engine.ErrNothing) {
						t.Fatal(err)
					}
					if len(report.Artifacts) != 2 {
						t.Errorf("%+v", report.Artifacts)
					}
					for _, a := range report.Artifacts {
						if passed := strings.HasSuffix(a.Reference, ":"+signed); passed != (a.Err == nil) {
							t.Errorf("%s: %v", a.Reference, a.Err)
						}
					}
					if came := target.Has("app", signature); came != (signed != "" && !dry) {
						t.Errorf("the target has the signature of the image: %v", came)
					}
				})
			}
		}
	}
}

// TestSignedArtifactsAreSynced with their signatures, and for no request more.
func TestSignedArtifactsAreSynced(t *testing.T) {
	for _, where := range []place{asTag, asReferrer} {
		source, target, other := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
		key := newSigner(t)
		image := source.Image("app", "v1", []byte("layer"))
		signature := key.sign(source, "app", image, where)
		report, err := trySync(t, source, other, "/app:v1", engine.RestoreOptions{})
		whole(t, report, err)
		free := len(source.Requests())
		source.ResetCounts()
		report, err = trySync(t, source, target, "/app:v1", engine.RestoreOptions{}, key.policy("**"))
		whole(t, report, err)
		if got := report.Artifacts[0].SignedBy; !slices.Equal(got, []string{key.line()}) {
			t.Errorf("%s: signed by %q", where, got)
		}
		if !target.Has("app", image) || !target.Has("app", signature) {
			t.Errorf("%s: the target lacks the image or its signature", where)
		}
		if n := len(source.Requests()); n > free {
			t.Errorf("%s: %d requests, %d without a policy", where, n, free)
		}
	}
}

func trySync(t *testing.T, source, target *testregistry.Registry, what string, o engine.RestoreOptions, policies ...trust.Policy) (*engine.Report, error) {
	t.Helper()
	to, err := config.ParseTarget(target.Host)
	if err != nil {
		t.Fatal(err)
	}
	o.Targets = []config.Target{to}
	if len(policies) > 0 {
		o.Trust = trusting(t, policies...)
	}
	return sync.Run(t.Context(), client(0), selections(t, source.Host+what), engine.SyncOptions{RestoreOptions: o})
}
