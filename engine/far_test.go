package engine_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// fillPlatformsSigned puts images of three platforms, each with so many referrers.
func fillPlatformsSigned(r *testregistry.Registry, images, referrers int) {
	for i := range images {
		var platforms []ocispec.Descriptor
		for k := range 3 {
			platforms = append(platforms, r.Image("app", "", fmt.Append(nil, "layer ", i, k)))
		}
		index := r.Index("app", fmt.Sprint("v", i), platforms...)
		for k := range referrers {
			r.Referrer("app", append(platforms, index)[k%4], "application/vnd.example.signature", fmt.Append(nil, "signature ", i, k))
		}
	}
}

// TestListsOfReferrersDoNotWaitForEachOther restores to a registry at a distance, in
// a time of its own that stands still while anything computes: what takes time is
// requests that wait for others.
func TestListsOfReferrersDoNotWaitForEachOther(t *testing.T) {
	const delay, concurrency = 20 * time.Millisecond, 16
	source := testregistry.New(t, testregistry.Options{})
	fillPlatformsSigned(source, 30, 8)
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	backUp(t, path, selections(t, source.Host+"/app"))
	synctest.Test(t, func(t *testing.T) {
		r := testregistry.New(t, testregistry.Options{NoReferrersAPI: true, Pipe: true})
		r.SetDelay(delay)
		began := time.Now()
		report, err := restore.Run(t.Context(), registry.New(registry.Options{Transport: transport.Options{Concurrency: concurrency, Dial: r.Dial}}), reopen(t, path),
			engine.RestoreOptions{Concurrency: concurrency, Targets: []config.Target{{Registry: r.Host}}})
		whole(t, report, err)
		floor := time.Duration(total(r)) * delay / concurrency
		if took := time.Since(began); took > floor*13/10 {
			t.Errorf("%d requests take %v, want at most 1.3 times %v", total(r), took, floor)
		}
	})
}
