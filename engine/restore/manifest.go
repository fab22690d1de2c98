package restore

import (
	"context"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// manifestBytes returns the bytes of a manifest: from memory if it was rewritten or waits
// for its push, else from its origin.
func manifestBytes(ctx context.Context, s source.Source, v *graph.Visit) ([]byte, error) {
	if data := v.Node.Data; data != nil {
		return data, nil
	}
	if !origin.OnDisk(v.Origin) && v.Node.Size >= largeManifest { // before its body is open: others would wait for that
		if err := bounds.Enter(ctx, 2*(v.Node.Size+readAhead)); err != nil {
			return nil, err
		}
	}
	data, err := v.Origin.Manifest(ctx, v.Node.OCI())
	if err != nil {
		return nil, s.Fault(err)
	}
	return data, nil
}

const (
	// largeManifest is the size from which the client of a registry reserves memory for a
	// document, and may wait for it.
	largeManifest = 32 << 10
	// readAhead is the least memory that it reserves beyond the bytes that it has read.
	readAhead = 256 << 10
)
