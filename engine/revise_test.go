package engine_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// twice is a plain tar in the order of ours, with one index.json before the blobs and
// another one at the end; late are blobs that come between the two.
func (h *handmade) twice(first, last string, late map[string]bool) []byte {
	h.t.Helper()
	files, behind := []string{"oci-layout", `{"imageLayoutVersion":"1.0.0"}`}, []string{}
	all := h.files()
	for i := 2; i < len(all)-2; i += 2 {
		if strings.Contains(all[i+1], `"schemaVersion"`) && !late[all[i]] {
			files = append(files, all[i], all[i+1])
		} else {
			behind = append(behind, all[i], all[i+1])
		}
	}
	files = append(files, "index.json", first)
	return tarOf(h.t, append(append(files, behind...), "index.json", last))
}

// TestLastIndexOfAPipeCounts, as it does in a file: what it withdraws is not pushed, and
// what it moved goes where it says.
func TestLastIndexOfAPipeCounts(t *testing.T) {
	h := newHandmade(t)
	kept, moved := h.image("kept", nil), h.image("moved", nil)
	withdrawn := h.image("withdrawn", nil)
	index := func(list func(h *handmade)) string {
		one := &handmade{t: t, blobs: h.blobs}
		list(one)
		return one.indexText()
	}
	first := index(func(h *handmade) {
		h.entry(kept, "source.example/x/app:v1")
		h.entry(withdrawn, "source.example/x/app:v2")
		h.entry(kept, "source.example/x/app:v3")
	})
	for name, tt := range map[string]struct {
		last string
		tags []string // of a file
		late []string // what a pipe cannot give
	}{
		"the same":  {first, []string{"v1", "v2", "v3"}, nil},
		"withdrawn": {index(func(h *handmade) { h.entry(kept, "source.example/x/app:v1") }), []string{"v1"}, nil},
		"moved and new": {index(func(h *handmade) {
			h.entry(kept, "source.example/x/app:v1")
			h.entry(moved, "source.example/x/app:v2")
			h.entry(moved, "source.example/x/app:v4")
		}), []string{"v1", "v2", "v4"}, []string{"v2", "v4"}},
	} {
		packed := h.twice(first, tt.last, nil)
		path := filepath.Join(t.TempDir(), "x.tar")
		if err := os.WriteFile(path, packed, 0o644); err != nil {
			t.Fatal(err)
		}
		file := testregistry.New(t, testregistry.Options{})
		restoreTo(t, path, file.Host)
		if got := file.Tags("x/app"); !slices.Equal(got, tt.tags) {
			t.Errorf("%s: a file gives %v", name, got)
		}
		pipe := testregistry.New(t, testregistry.Options{})
		report, err := tryRestore(t, streamOf(t, packed), pipe.Host, engine.RestoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(slices.Clone(tt.tags), func(tag string) bool { return slices.Contains(tt.late, tag) })
		if got := pipe.Tags("x/app"); !slices.Equal(got, want) || len(report.Artifacts) != len(tt.tags) {
			t.Errorf("%s: a pipe gives %v, %+v", name, got, report.Artifacts)
		}
		fails := failing(report)
		for _, tag := range tt.late {
			var late *store.LateError
			if !errors.As(fails["source.example/x/app:"+tag], &late) {
				t.Errorf("%s: %s: %v", name, tag, fails)
			}
		}
		if len(fails) != len(tt.late) {
			t.Errorf("%s: %v", name, fails)
		}
		report, err = tryRestore(t, streamOf(t, packed), pipe.Host, engine.RestoreOptions{DryRun: true})
		if err != nil || len(report.Artifacts) != len(tt.tags) {
			t.Errorf("%s: it would have restored %+v, %v", name, report.Artifacts, err)
		}
	}
}

// streamOf opens an archive as a pipe; it has to be readable in one pass.
func streamOf(t *testing.T, packed []byte) store.Input {
	t.Helper()
	in, err := store.OpenStream(bytes.NewReader(packed), store.OpenOptions{TempDir: filepath.Join(t.TempDir(), "absent")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	return in
}

// TestWithdrawnReferrerOfAPipe: what refers to an artifact is withdrawn alone.
func TestWithdrawnReferrerOfAPipe(t *testing.T) {
	h := newHandmade(t)
	image := h.entry(h.image("image", nil), "source.example/x/app:v1")
	last := h.indexText()
	signature := h.entry(h.image("signature", &image), "")
	first := h.indexText()
	for d, data := range h.blobs { // its layer could not be had
		if strings.HasPrefix(string(data), "layer of signature") {
			delete(h.blobs, d)
		}
	}
	target := testregistry.New(t, testregistry.Options{})
	report, err := tryRestore(t, streamOf(t, h.twice(first, last, nil)), target.Host, engine.RestoreOptions{})
	whole(t, report, err)
	if !slices.Equal(target.Tags("x/app"), []string{"v1"}) || target.Has("x/app", signature) || report.Referrers != 0 {
		t.Errorf("tags %v, %+v", target.Tags("x/app"), report)
	}
}

// TestLateManifestOfAPipe: what an archive of another tool lists for the first time at
// its end, and brings in between, is an error in a pipe and there in a file.
func TestLateManifestOfAPipe(t *testing.T) {
	h := newHandmade(t)
	h.entry(h.image("early", nil), "source.example/x/app:v1")
	first := h.indexText()
	late := h.entry(h.image("late", nil), "source.example/x/app:v2")
	packed := h.twice(first, h.indexText(), map[string]bool{"blobs/sha256/" + late.Digest.Encoded(): true})
	var wrong *store.LateError
	if _, err := store.VerifyStream(t.Context(), streamOf(t, packed).(*store.Stream), verify.Options{}); !errors.As(err, &wrong) {
		t.Errorf("verify: %v", err)
	}
	target := testregistry.New(t, testregistry.Options{})
	report, err := tryRestore(t, streamOf(t, packed), target.Host, engine.RestoreOptions{})
	if err != nil || !errors.As(failing(report)["source.example/x/app:v2"], &wrong) || !slices.Equal(target.Tags("x/app"), []string{"v1"}) {
		t.Errorf("%v, %v, tags %v", report.Artifacts, err, target.Tags("x/app"))
	}
}

// TestIncompleteBundleIsTheSameFromAPipe: a bundle of ours that lacks an artifact.
func TestIncompleteBundleIsTheSameFromAPipe(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	bad := testregistry.Random("bad", 3000)
	source.Image("app", "bad", bad)
	source.Image("app", "good", []byte("good"))
	layer := ocispec.Descriptor{Digest: digest.FromBytes(bad)}
	source.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if strings.HasSuffix(req.URL.Path, layer.Digest.String()) {
			return testregistry.Flip(100)
		}
		return nil
	})
	for _, name := range []string{"x.tgz", "x.tar"} {
		path := filepath.Join(t.TempDir(), name)
		report, err := tryBackup(t, path, selections(t, source.Host+"/app"), engine.BackupOptions{})
		if err != nil || len(report.Failures()) != 1 {
			t.Fatalf("%v, %v", report.Failures(), err)
		}
		for _, push := range []func(*testing.T, string, string) *engine.Report{restoreTo, restorePipe} {
			target := testregistry.New(t, testregistry.Options{})
			report := push(t, path, target.Host)
			if len(report.Artifacts) != 1 || !slices.Equal(target.Tags("app"), []string{"good"}) {
				t.Errorf("%s: %+v, tags %v", name, report.Artifacts, target.Tags("app"))
			}
		}
	}
}

// TestLateChildOfAPipe: the index came in time, one of its manifests did not.
func TestLateChildOfAPipe(t *testing.T) {
	h := newHandmade(t)
	h.entry(h.image("early", nil), "source.example/x/app:v1")
	first := h.indexText()
	child := h.image("late", nil)
	h.entry(h.index(child), "source.example/x/app:v2")
	packed := h.twice(first, h.indexText(), map[string]bool{"blobs/sha256/" + child.Digest.Encoded(): true})
	var wrong *store.LateError
	if v, err := store.VerifyStream(t.Context(), streamOf(t, packed).(*store.Stream), verify.Options{}); !errors.As(err, &wrong) {
		t.Errorf("verify: %+v, %v", v, err)
	}
}
