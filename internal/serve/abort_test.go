package serve

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/serve/content"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// TestReplacedInputIsClosedAfterAnAbortedResponse: a response that breaks off at a damaged
// blob does not keep the former input open.
func TestReplacedInputIsClosedAfterAnAbortedResponse(t *testing.T) {
	w, path := withLarge(t, "bundle.tgz")
	w.backup("next.tgz", "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v2", []byte("next")) })
	flip(t, w.path("bundle.tgz"), large(), len(large())-20_000)
	var opened []store.Layout
	keep := func(_ context.Context, _ string, l store.Layout) (*verify.Result, error) {
		opened = append(opened, l)
		return &verify.Result{LeftOver: 1}, nil
	}
	s := w.open(content.Options{Check: keep}, "bundle.tgz")
	w.listen(s)
	if a := s.get(path); a.err == nil {
		t.Fatal("the response did not break off")
	}
	if err := os.Rename(w.path("next.tgz"), w.path("bundle.tgz")); err != nil {
		t.Fatal(err)
	}
	s.Inputs.Refresh(t.Context())
	s.get("/v2/team/app/manifests/v2").is(t, "the next input", 200, "")
	blob, err := store.OpenRandom(opened[0], digest.FromBytes(large()))
	if err == nil {
		err = blob.WriteRange(io.Discard, 0, 10)
	}
	if !errors.Is(err, fs.ErrClosed) {
		t.Errorf("the former input is still open: %v", err)
	}
}
