package engine_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fillSHA512 puts an image without any sha256 digest under the tag v1, with
// a signature if signed.
func fillSHA512(t *testing.T, r *testregistry.Registry, signed bool) ocispec.Descriptor {
	describe := func(mediaType string, data []byte) ocispec.Descriptor {
		return ocispec.Descriptor{MediaType: mediaType, Digest: digest.SHA512.FromBytes(data), Size: int64(len(data))}
	}
	put := func(mediaType string, data []byte) ocispec.Descriptor {
		desc := describe(mediaType, data)
		r.PutBlob("app", desc, data)
		return desc
	}
	data, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": ocispec.MediaTypeImageManifest,
		"config": put(ocispec.MediaTypeImageConfig, []byte("{}")), "layers": []any{put(ocispec.MediaTypeImageLayer, []byte("layer"))}})
	if err != nil {
		t.Fatal(err)
	}
	root := describe(ocispec.MediaTypeImageManifest, data)
	r.PutManifest("app", "v1", root, data)
	if signed {
		r.Referrer("app", root, "application/vnd.example.signature", []byte("signature"))
	}
	return root
}

// TestSHA512RootIsComparedInTheTargetsAlgorithm: the target names it by sha256, and it is
// the same all the same.
func TestSHA512RootIsComparedInTheTargetsAlgorithm(t *testing.T) {
	for _, signed := range []bool{false, true} {
		for _, out := range outputs {
			source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
			root := fillSHA512(t, source, signed)
			path := t.TempDir() + "/" + out
			backUp(t, path, selections(t, source.Host+"/app:v1"))
			right(t, path)
			restoreTo(t, path, target.Host)
			if !target.Has("app", root) {
				t.Fatalf("%s: the target does not have it under its digest", out)
			}
			target.ResetCounts()
			report, err := restore.Run(t.Context(), client(0), reopen(t, path), engine.RestoreOptions{Verify: true,
				Targets: []config.Target{{Registry: target.Host, ExistingTags: config.ExistingFail}}})
			if whole(t, report, err); report.Unchanged != 1 {
				t.Errorf("%s: not unchanged", out)
			}
			for line := range target.URLs() {
				if !strings.HasPrefix(line, "GET ") && !strings.HasPrefix(line, "HEAD ") {
					t.Errorf("%s: sent again: %s", out, line)
				}
			}
			other := source.Image("app", "v2", []byte("other"))
			target.PutManifest("app", "v1", other, []byte("{}"))
			report, err = restore.Run(t.Context(), client(0), reopen(t, path), engine.RestoreOptions{
				Targets: []config.Target{{Registry: target.Host, ExistingTags: config.ExistingFail}}})
			if len(report.Failures()) != 1 {
				t.Errorf("%s: another manifest is taken for it: %v", out, err)
			}
		}
	}
}

// TestTargetWithoutSHA512: it may refuse the digest and still take the tag.
func TestTargetWithoutSHA512(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	fillSHA512(t, source, false)
	path := t.TempDir() + "/layout/"
	backUp(t, path, selections(t, source.Host+"/app:v1"))
	target.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if req.Method == http.MethodPut && strings.Contains(req.URL.Path, "/manifests/sha512:") {
			return testregistry.Status(400, "")
		}
		return nil
	})
	for range 2 {
		heard := new(listener)
		report, err := tryRestore(t, reopen(t, path), target.Host, engine.RestoreOptions{Progress: heard, Verify: true})
		whole(t, report, err)
		if report.Unchanged == 0 && len(heard.notices) != 1 {
			t.Errorf("it says %q", heard.notices)
		}
	}
	if tags := target.Tags("app"); len(tags) != 1 {
		t.Errorf("the target has %v", tags)
	}
}
