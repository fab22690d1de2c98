package engine_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fillSubjects puts a tag whose manifest refers to one without a tag, which refers to an
// index without one.
func fillSubjects(r *testregistry.Registry) (index, signature ocispec.Descriptor) {
	index = r.Index("app", "", r.Image("app", "", []byte("one")), r.Image("app", "", []byte("two")))
	signature = r.Referrer("app", index, "application/vnd.example.signature", []byte("signature"))
	r.RetiredArtifact("app", "stamp", "application/vnd.example.stamp", &signature, []byte("stamp"))
	r.Referrer("app", index, "application/vnd.example.sbom", []byte("another referrer"))
	return index, signature
}

// TestSubjectOfATagComesAlong: with all that it needs, and with what it refers to
// itself, but not with what else refers to it.
func TestSubjectOfATagComesAlong(t *testing.T) {
	for _, out := range outputs {
		for _, noAPI := range []bool{false, true} {
			source := testregistry.New(t, testregistry.Options{NoReferrersAPI: noAPI})
			index, signature := fillSubjects(source)
			path := filepath.Join(t.TempDir(), out)
			if out == "layout/" {
				path += "/"
			}
			for range 2 {
				backUp(t, path, selections(t, source.Host+"/app:stamp"))
				right(t, path)
			}
			if out == "layout/" {
				keepEntry(t, path, source.Host+"/app:stamp")
				right(t, path)
			}
			ways := []func(*testing.T, string, string) *engine.Report{restoreTo}
			if out != "layout/" {
				ways = append(ways, restorePipe)
			}
			for _, send := range ways {
				target := testregistry.New(t, testregistry.Options{NoReferrersAPI: noAPI, RequireSubject: true, RejectSparse: true})
				send(t, path, target.Host+"/mirror")
				testregistry.CheckSame(t, source, target, "mirror")
				snapshot, err := testregistry.Snapshot(t.Context(), target.Access(), "mirror/app@"+index.Digest.String(), "mirror/app@"+signature.Digest.String())
				if err != nil {
					t.Fatal(err)
				}
				if n := len(snapshot.WithoutReferrers()["mirror/app@"+index.Digest.String()].Graph); n != 7 {
					t.Errorf("%s: the index has %d parts", out, n)
				}
				if again := send(t, path, target.Host+"/mirror"); again.Unchanged != 1 {
					t.Errorf("%s: %d unchanged", out, again.Unchanged)
				}
			}
		}
	}
}

// TestAbsentSubjectIsNoFailure: the specification lets a manifest refer to what is not
// there.
func TestAbsentSubjectIsNoFailure(t *testing.T) {
	for _, out := range outputs {
		source := testregistry.New(t, testregistry.Options{})
		_, signature := fillSubjects(source)
		source.Remove("app", signature)
		heard := new(listener)
		path := t.TempDir() + "/" + out
		report, err := tryBackup(t, path, selections(t, source.Host+"/app:stamp"), engine.BackupOptions{Progress: heard})
		if whole(t, report, err); len(heard.notices) != 1 {
			t.Errorf("%s: it says %q", out, heard.notices)
		}
		right(t, path)
		target := testregistry.New(t, testregistry.Options{})
		restoreTo(t, path, target.Host+"/mirror")
		testregistry.CheckSame(t, source, target, "mirror")
		if out != "layout/" {
			restorePipe(t, path, target.Host+"/mirror")
		}
	}
}

// TestSubjectThatFailsFailsItsTag: what is there has to be whole.
func TestSubjectThatFailsFailsItsTag(t *testing.T) {
	for _, out := range outputs {
		source := testregistry.New(t, testregistry.Options{})
		fillSubjects(source)
		source.Remove("app", source.Blob("app", "", []byte("two")))
		source.Image("app", "v1", []byte("image"))
		report, err := tryBackup(t, t.TempDir()+"/"+out, selections(t, source.Host+"/app:stamp", source.Host+"/app:v1"), engine.BackupOptions{})
		if failures := report.Failures(); err != nil || len(failures) != 1 || failures[0].Reference != source.Host+"/app:stamp" {
			t.Errorf("%s: %v, %v", out, err, failures)
		}
	}
}

// TestLockPinsSubjects: an older lock says nothing of them, and none comes along; what
// a lock pins must be there.
func TestLockPinsSubjects(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	index, signature := fillSubjects(source)
	forecast, err := backup.Forecast(t.Context(), client(0), selections(t, source.Host+"/app:stamp"), backup.Output{Directory: true}, engine.BackupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	lock, err := forecast.Lock()
	if err != nil {
		t.Fatal(err)
	}
	want := []digest.Digest{index.Digest, signature.Digest}
	slices.Sort(want)
	if got := lock.Artifacts[0].Subjects; !slices.Equal(got, want) {
		t.Fatalf("the lock pins %v, want %v", got, want)
	}
	older := &lockfile.Lock{Artifacts: slices.Clone(lock.Artifacts)}
	older.Artifacts[0].Subjects = nil
	for _, tt := range []struct {
		lock   *lockfile.Lock
		copied bool
	}{{lock, true}, {older, false}} {
		path := t.TempDir() + "/layout/"
		backUp(t, path, tt.lock.Selections("lock"))
		_, err := reopen(t, path).Stat(index.Digest)
		if copied := err == nil; copied != tt.copied {
			t.Errorf("copied %v, want %v", copied, tt.copied)
		}
	}
	source.Remove("app", signature)
	report, err := tryBackup(t, t.TempDir()+"/layout/", lock.Selections("lock"), engine.BackupOptions{})
	if failures := report.Failures(); !errors.Is(err, engine.ErrNothing) || len(failures) != 1 || !errors.Is(failures[0].Err, errdef.ErrNotFound) {
		t.Errorf("a pinned subject is gone: %v, %v", err, failures)
	}
}
