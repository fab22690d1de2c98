package backup

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestMemoryOfAPlan: 100,000 artifacts have to fit beside the buffer, and the plan
// holds the memory of each until the run ends.
func TestMemoryOfAPlan(t *testing.T) {
	const artifacts = 4000
	r := testregistry.New(t, testregistry.Options{})
	for i := range artifacts {
		r.Artifact("many", fmt.Sprintf("v%d", i), "application/vnd.example", fmt.Append(nil, i))
	}
	ref, err := config.ParseReference(r.Host + "/many")
	if err != nil {
		t.Fatal(err)
	}
	c := registry.New(registry.Options{})
	b := newBackup(engine.BackupOptions{})
	before := live()
	b.plan(c, []config.Selection{{Reference: ref, Referrers: true}}, nil, nil)
	err = b.planner.EachInOrder(t.Context(), func(a *plan.Artifact) error {
		a.Visit.Node.Data = nil // as if it were written
		b.job(a)
		for _, blob := range a.Visit.Blobs() {
			b.blobJob(blob).state = blobQueued
		}
		return b.claims.Claim(a)
	})
	if err != nil || len(b.planner.All) != artifacts {
		t.Fatalf("%d artifacts are planned, %v", len(b.planner.All), err)
	}
	r.ResetCounts()
	each := (live() - before) / artifacts
	t.Logf("%d bytes for each artifact", each)
	if each > 1900 {
		t.Errorf("the plan keeps %d bytes of each artifact", each)
	}
	runtime.KeepAlive(b)
}

// live returns the bytes that are still in use.
func live() int64 {
	runtime.GC()
	runtime.GC() // frees the objects that the first one finalized
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
