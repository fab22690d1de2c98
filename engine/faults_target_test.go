package engine_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// What a target says of itself may be false: each of these is found out.

// answers makes a registry answer with a status alone.
func answers(status int, header ...string) testregistry.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
		})
	}
}

// sharing puts three repositories that share a layer into a registry.
func sharing(t *testing.T) (source *testregistry.Registry, repos []string, shared []byte) {
	t.Helper()
	source, shared = testregistry.New(t, testregistry.Options{}), testregistry.Random("shared", 30_000)
	for _, name := range []string{"a/one", "a/two", "a/three"} {
		source.Index(name, "v1", source.Image(name, "", shared, []byte(name)))
		repos = append(repos, source.Host+"/"+name)
	}
	return source, repos, shared
}

// TestMountThatBringsNoBlob: the registry grants mounts and has no blob afterwards.
// It shows at the manifest; no second mount is asked for.
func TestMountThatBringsNoBlob(t *testing.T) {
	source, repos, _ := sharing(t)
	dir := t.TempDir()
	for _, out := range []string{"layout/", "bundle.tgz"} {
		backUp(t, dir+"/"+out, selections(t, repos...))
		for _, pipe := range []bool{false, true} {
			if pipe && out == "layout/" {
				continue
			}
			target := testregistry.New(t, testregistry.Options{RejectSparse: true})
			target.Fault(testregistry.Always("mount", answers(http.StatusCreated)))
			report, err := restoreWith(t, newFalseClock().faced(t, 1), dir+"/"+out, pipe, target.Host+"/mirror")
			whole(t, report, err)
			testregistry.CheckSame(t, source, target, "mirror")
			if n := target.Count("mount"); n > 2 {
				t.Errorf("%s: %d mounts were asked for", out, n)
			}
		}
	}
}

// TestMountThatFails: a mount is not worth waiting for.
func TestMountThatFails(t *testing.T) {
	source, repos, _ := sharing(t)
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, repos...))
	target, clock := testregistry.New(t, testregistry.Options{}), newFalseClock()
	target.Fault(testregistry.Always("mount", testregistry.Status(http.StatusInternalServerError, "")))
	report, err := restoreWith(t, clock.faced(t, 4), path, false, target.Host+"/mirror")
	whole(t, report, err)
	testregistry.CheckSame(t, source, target, "mirror")
	if len(clock.pauses()) > 0 || target.Count("mount") != 1 {
		t.Errorf("%d mounts, pauses %v", target.Count("mount"), clock.pauses())
	}
}

// TestTargetFalselyReportsABlob: HEAD finds each blob, and a manifest that names
// it is refused because it is unknown.
func TestTargetFalselyReportsABlob(t *testing.T) {
	source, repos, _ := sharing(t)
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, repos...))
	target := testregistry.New(t, testregistry.Options{RejectSparse: true})
	target.Fault(testregistry.Always("HEAD blob", answers(http.StatusOK, "Content-Length", "1")))
	report, err := restoreWith(t, newFalseClock().faced(t, 4), path, false, target.Host+"/mirror")
	whole(t, report, err)
	testregistry.CheckSame(t, source, target, "mirror")
}

// TestManifestThatIsRefusedForAnotherReason is not put twice.
func TestManifestThatIsRefusedForAnotherReason(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	source.Image("app", "v1", []byte("layer"))
	path := t.TempDir() + "/bundle.tgz"
	backUp(t, path, selections(t, source.Host+"/app"))
	target := testregistry.New(t, testregistry.Options{})
	target.Fault(testregistry.Always("PUT manifest", testregistry.Status(http.StatusBadRequest, "")))
	report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{})
	if !errors.Is(err, engine.ErrNothing) || len(report.Failures()) != 1 || !strings.Contains(report.Failures()[0].Err.Error(), "push: 400") {
		t.Errorf("%v, %v", err, report.Failures())
	}
	if target.Count("PUT manifest") != 1 || target.Count("PUT upload") != 2 {
		t.Errorf("requests: %v", target.Counts())
	}
}

// TestTargetFalselyReportsAChild: HEAD finds it, and an index that names it is
// refused because it is unknown until it is put.
func TestTargetFalselyReportsAChild(t *testing.T) {
	for _, code := range []string{"MANIFEST_UNKNOWN", "MANIFEST_BLOB_UNKNOWN"} {
		source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
		child := source.Image("app", "", []byte("layer"))
		source.Index("app", "v1", child)
		path := t.TempDir() + "/bundle.tgz"
		backUp(t, path, selections(t, source.Host+"/app"))
		puts := 0
		target.Fault(func(req *http.Request, _ int) testregistry.Fault {
			if testregistry.Kind(req) != "PUT manifest" {
				return nil
			}
			if strings.HasSuffix(req.URL.Path, child.Digest.String()) {
				puts++
			}
			if puts < 2 && strings.HasSuffix(req.URL.Path, "/v1") {
				return refuses(http.StatusNotFound, code)
			}
			return nil
		})
		restoreTo(t, path, target.Host+"/mirror")
		testregistry.CheckSame(t, source, target, "mirror")
	}
}

// refuses answers with a code.
func refuses(status int, code string) testregistry.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"errors":[{"code":%q}]}`, code)
		})
	}
}

// lost is a target that has an index and its image, but for a blob of the image.
func lost(t *testing.T, o testregistry.Options) (path string, target *testregistry.Registry, index, image, blob ocispec.Descriptor) {
	t.Helper()
	source := testregistry.New(t, testregistry.Options{})
	image = source.Image("app", "", []byte("layer"))
	index = source.Index("app", "v1", image)
	source.Image("app", "other", []byte("another"))
	path, target = t.TempDir()+"/layout/", testregistry.New(t, o)
	backUp(t, path, selections(t, source.Host+"/app"))
	restoreTo(t, path, target.Host)
	blob = source.Blob("app", "", []byte("layer"))
	target.Remove("app", blob)
	return path, target, index, image, blob
}

// TestBlobGoneUnderATag: the tag says that all is there. Who has it read back gets
// what was lost.
func TestBlobGoneUnderATag(t *testing.T) {
	path, target, _, _, blob := lost(t, testregistry.Options{})
	target.ResetCounts()
	heard := new(listener)
	report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{Verify: true, Progress: heard})
	whole(t, report, err)
	if !target.Has("app", blob) || target.Count("PUT upload") != 1 || target.Count("PUT manifest") != 0 {
		t.Errorf("requests: %v", target.Counts())
	}
	if report.Unchanged != 1 || report.Moved != blob.Size {
		t.Errorf("%d unchanged, %d bytes moved", report.Unchanged, report.Moved)
	}
	if len(heard.notices) != 1 || !strings.Contains(heard.notices[0], "/app:v1: blob "+blob.Digest.String()+" is missing: pushing it again") {
		t.Errorf("notices: %v", heard.notices)
	}
	target.ResetCounts()
	report, err = tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{Verify: true})
	if whole(t, report, err); report.Unchanged != 2 || target.Count("PUT upload") != 0 {
		t.Errorf("the next time %d are unchanged, requests: %v", report.Unchanged, target.Counts())
	}
}

// TestManifestsGoneUnderATag: the index and its image are gone, and the tag is moved.
func TestManifestsGoneUnderATag(t *testing.T) {
	for _, api := range []bool{true, false} {
		source := testregistry.New(t, testregistry.Options{})
		image := source.Image("app", "", []byte("layer"))
		index := source.Index("app", "v1", image)
		signature := source.Referrer("app", index, "application/vnd.example.signature", []byte("signature"))
		path, target := t.TempDir()+"/bundle.tgz", testregistry.New(t, testregistry.Options{NoReferrersAPI: !api, RejectSparse: true, RequireSubject: true})
		backUp(t, path, selections(t, source.Host+"/app"))
		restoreTo(t, path, target.Host+"/mirror")
		for _, gone := range []ocispec.Descriptor{image, signature} {
			// A request by digest does not find it until it is pushed again.
			again := false
			target.Fault(func(req *http.Request, _ int) testregistry.Fault {
				if !strings.HasSuffix(req.URL.Path, gone.Digest.String()) || testregistry.Kind(req) == "GET referrers" {
					return nil
				}
				if again = again || testregistry.Kind(req) == "PUT manifest"; again || testregistry.Kind(req) != "GET manifest" {
					return nil
				}
				return testregistry.Status(http.StatusNotFound, "")
			})
			report, err := tryRestore(t, reopen(t, path), target.Host+"/mirror", engine.RestoreOptions{Verify: true})
			whole(t, report, err)
			if !again {
				t.Errorf("%s was not put again", gone.Digest)
			}
			target.Fault(nil)
			testregistry.CheckSame(t, source, target, "mirror")
		}
	}
}

// TestBlobThatStaysLost: what is pushed again once and still is not there is an error.
func TestBlobThatStaysLost(t *testing.T) {
	path, target, _, _, blob := lost(t, testregistry.Options{})
	target.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) == "GET blob" && strings.HasSuffix(req.URL.Path, blob.Digest.String()) {
			return testregistry.Status(http.StatusNotFound, "")
		}
		return nil
	})
	target.ResetCounts()
	report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	failures := report.Failures()
	if len(failures) != 1 || failures[0].Operation() != "verify" || !strings.Contains(failures[0].Err.Error(), "blob "+blob.Digest.String()+" is missing") {
		t.Errorf("failed: %v", failures)
	}
	if target.Count("PUT upload") != 1 {
		t.Errorf("requests: %v", target.Counts())
	}
}

// TestBlobGoneUnderAChild: the target has the child of an index, without its layer,
// and refuses the index until that child is put again.
func TestBlobGoneUnderAChild(t *testing.T) {
	path, target, index, image, blob := lost(t, testregistry.Options{RejectSparse: true})
	target.Remove("app", index)
	refused := true
	target.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) != "PUT manifest" {
			return nil
		}
		if strings.HasSuffix(req.URL.Path, image.Digest.String()) {
			refused = !target.Has("app", blob)
		}
		if refused && strings.HasSuffix(req.URL.Path, "/v1") {
			return testregistry.Status(http.StatusNotFound, "")
		}
		return nil
	})
	restoreTo(t, path, target.Host)
	if !target.Has("app", blob) || !target.Has("app", index) {
		t.Error("something is still missing")
	}
}

// TestTargetThatDoesNotHash: what the input has wrong does not become a blob of a
// registry that takes everything, however it is read and however large it is.
func TestTargetThatDoesNotHash(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	bad := append([]byte("BZh"), testregistry.Random("bad", 1<<20)...) // stored, so that the damage is easy to do
	source.Image("app", "bad", bad)
	source.Image("other", "bad", bad)
	source.Image("app", "good", []byte("good"))
	dir := t.TempDir()
	for _, out := range outputs {
		path := filepath.Join(dir, out)
		backUp(t, dir+"/"+out, selections(t, source.Host+"/app", source.Host+"/other"))
		if out == "layout/" {
			path = filepath.Join(path, "blobs", "sha256", digest.FromBytes(bad).Encoded())
		}
		damage(t, path, bad[100:120])
		for _, pipe := range []bool{false, true} {
			if pipe && out != "bundle.tar" {
				continue // gzip has a checksum of its own, and a directory is no pipe
			}
			t.Run(out+" pipe "+strconv.FormatBool(pipe), func(t *testing.T) {
				target := testregistry.New(t, testregistry.Options{NoDigestCheck: true, NoMount: true})
				// A tight buffer, and no folder: a large blob of a pipe is sent as it comes.
				report, err := tryRestore(t, openFor(t, dir+"/"+strings.TrimSuffix(out, "/"), pipe), target.Host, engine.RestoreOptions{Buffer: 1 << 20})
				if err != nil {
					t.Fatal(err)
				}
				var corrupt *engine.CorruptError
				if got := failed(report); !slices.Equal(got, []string{"app:bad", "other:bad"}) || !errors.As(report.Failures()[0].Err, &corrupt) {
					t.Errorf("failed: %v", report.Failures())
				}
				blob := ocispec.Descriptor{Digest: digest.FromBytes(bad)}
				if target.Has("app", blob) || target.Has("other", blob) || !slices.Equal(target.Tags("app"), []string{"good"}) {
					t.Error("the target took what is wrong")
				}
			})
		}
	}
}

// TestHashesAreLeftToARegistryThatChecks: for many bytes two requests find out
// whether it does, and the forecast counts them.
func TestHashesAreLeftToARegistryThatChecks(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	large := make([]byte, 33<<20)
	source.Image("app", "v1", large, append([]byte("x"), large...))
	path := t.TempDir() + "/layout/"
	backUp(t, path, selections(t, source.Host+"/app"))
	for _, checks := range []bool{true, false} {
		target := testregistry.New(t, testregistry.Options{NoDigestCheck: !checks})
		o := engine.RestoreOptions{Targets: []config.Target{{Registry: target.Host}}}
		f, err := restore.Forecast(t.Context(), client(0), reopen(t, path), o)
		if err != nil {
			t.Fatal(err)
		}
		target.ResetCounts()
		restoreTo(t, path, target.Host)
		if n := target.Count("PUT upload"); n != 4 || total(target) != f.Requests {
			t.Errorf("%d uploads, %d requests, the forecast said %d", n, total(target), f.Requests)
		}
	}
	blob := filepath.Join(path, "blobs", "sha256", digest.FromBytes(large).Encoded())
	if err := os.WriteFile(blob, append([]byte{1}, large[1:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, checks := range []bool{true, false} {
		target := testregistry.New(t, testregistry.Options{NoDigestCheck: !checks})
		report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{})
		var corrupt *engine.CorruptError
		if !errors.Is(err, engine.ErrNothing) || !errors.As(report.Failures()[0].Err, &corrupt) {
			t.Errorf("checks %v: %v, %v", checks, err, report.Failures())
		}
	}
}
