package engine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/engine/sync"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// eachAttack stages each attack, on registries with and without the referrers API in turn,
// beside an artifact that needs no signature.
func eachAttack(t *testing.T, all []attack, run func(t *testing.T, s *stage, a attack, image ocispec.Descriptor)) {
	for i, a := range all {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			s := &stage{t: t, r: testregistry.New(t, testregistry.Options{NoReferrersAPI: i%2 == 1}), key: newSigner(t), other: newSigner(t)}
			image := a.put(s)
			s.r.Image("free", "v1", []byte("free"))
			run(t, s, a, image)
		})
	}
}

// check fails the test unless the reports have the outcome of the attack: its artifact failed
// for the right reason, or has signers. It reports whether it passed.
func (a attack) check(t *testing.T, reports []engine.ArtifactReport) (passed bool) {
	t.Helper()
	found := false
	for _, r := range reports {
		switch {
		case !strings.HasSuffix(r.Reference, "/app:v1"):
			if r.Err != nil && a.refuse == nil {
				t.Errorf("%s: %v", r.Reference, r.Err)
			}
		case a.refuse == nil:
			found = len(r.SignedBy) > 0
			if r.Err != nil {
				t.Error(r.Err)
			}
		default:
			found = true
			op := a.op
			if op == "" {
				op = engine.OpVerify
			}
			if r.Operation() != op || !a.refuse(r.Err) {
				t.Errorf("%s: %v", r.Operation(), r.Err)
			}
		}
	}
	if !found {
		t.Errorf("no outcome in %+v", reports)
	}
	return a.refuse == nil
}

// TestAttacksOnBackup: an artifact without a good signature fails, and the others are copied.
// Of its blobs, only those of signatures are fetched.
func TestAttacksOnBackup(t *testing.T) {
	for _, out := range formats {
		t.Run(strings.Trim(out, "/"), func(t *testing.T) {
			eachAttack(t, attacks, func(t *testing.T, s *stage, a attack, image ocispec.Descriptor) {
				path := t.TempDir() + "/" + out
				report, err := tryBackup(t, path, s.selected(), engine.BackupOptions{Trust: s.policies(a)})
				if err != nil {
					t.Fatal(err)
				}
				if passed := a.check(t, report.Artifacts); passed != holds(t, path, image) {
					t.Errorf("passed: %v, but the output differs", passed)
				}
				if len(report.Failures()) > 1 {
					t.Errorf("%+v", report.Failures())
				}
				if n := s.r.Count("GET blob"); a.refuse != nil && n > 4 {
					t.Errorf("%d blobs were fetched", n)
				}
			})
		})
	}
}

// TestAttacksOnSync: no blob of an artifact without a good signature moves; a dry run says so
// before.
func TestAttacksOnSync(t *testing.T) {
	eachAttack(t, attacks, func(t *testing.T, s *stage, a attack, image ocispec.Descriptor) {
		target := testregistry.New(t, testregistry.Options{})
		to, err := config.ParseTarget(target.Host)
		if err != nil {
			t.Fatal(err)
		}
		for _, dry := range []bool{true, false} {
			o := engine.SyncOptions{RestoreOptions: engine.RestoreOptions{Targets: []config.Target{to}, Trust: s.policies(a), DryRun: dry}}
			report, err := sync.Run(t.Context(), client(0), s.selected(), o)
			if err != nil {
				t.Fatal(err)
			}
			passed := a.check(t, report.Artifacts)
			if !dry && passed != target.Has("app", image) {
				t.Errorf("passed: %v, but the target differs", passed)
			}
			for _, failed := range report.Failures() {
				if failed.Bytes != 0 || failed.Expected != 0 {
					t.Errorf("dry %v: %+v", dry, failed)
				}
			}
		}
		if n := target.Count("POST upload"); a.refuse != nil && n > 2 {
			t.Errorf("%d uploads", n)
		}
		if !slices.Equal(target.Tags("free"), []string{"v1"}) {
			t.Error("the other artifact is not in the target")
		}
	})
}

// TestAttacksOnLock: there is no lock of an artifact without a good signature.
func TestAttacksOnLock(t *testing.T) {
	eachAttack(t, attacks, func(t *testing.T, s *stage, a attack, image ocispec.Descriptor) {
		f, err := backup.Forecast(t.Context(), client(0), s.selected(), backup.Output{}, engine.BackupOptions{Trust: s.policies(a)})
		if err != nil {
			t.Fatal(err)
		}
		lock, err := f.Lock()
		if a.refuse != nil {
			failed, is := errors.AsType[*engine.ArtifactError](err)
			if verified := is && failed.Op == engine.OpVerify; verified != (a.op == "") || !a.refuse(err) {
				t.Errorf("%v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if locked := lock.Artifacts[0]; locked.Digest != image.Digest || len(locked.SignedBy) != 1 {
			t.Errorf("%+v", locked)
		}
	})
}

// TestAttacksOnRestore: an artifact without a good signature fails, from any input, and nothing of
// it gets a name in the target.
func TestAttacksOnRestore(t *testing.T) {
	for _, kind := range inputKinds {
		t.Run(strings.Trim(string(kind), "/"), func(t *testing.T) {
			eachAttack(t, attacksOffline(), func(t *testing.T, s *stage, a attack, image ocispec.Descriptor) {
				path := kind.fill(t, s.selected())
				for _, dry := range []bool{true, false} {
					target := testregistry.New(t, testregistry.Options{})
					report, err := tryRestore(t, kind.open(t, path), target.Host, engine.RestoreOptions{Trust: s.policies(a), DryRun: dry})
					if err != nil {
						t.Fatal(err)
					}
					passed := a.check(t, report.Artifacts)
					if !dry && passed != target.Has("app", image) {
						t.Errorf("passed: %v, but the target differs", passed)
					}
					if !dry && !slices.Equal(target.Tags("free"), []string{"v1"}) {
						t.Error("the other artifact is not in the target")
					}
				}
			})
		})
	}
}

// TestAttacksOnVerify: an input with an artifact without a good signature is refused.
func TestAttacksOnVerify(t *testing.T) {
	for _, kind := range inputKinds {
		t.Run(strings.Trim(string(kind), "/"), func(t *testing.T) {
			eachAttack(t, attacksOffline(), func(t *testing.T, s *stage, a attack, image ocispec.Descriptor) {
				all := checkSignatures(t, kind.open(t, kind.fill(t, s.selected())), s.policies(a))
				a.check(t, all)
				if len(all) != 1 { // what cosign attached belongs to the artifact
					t.Errorf("%+v", all)
				}
			})
		})
	}
}
