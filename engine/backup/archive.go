package backup

import (
	"iter"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
)

// archive backs up into a bundle: manifests in the order of the plan as they
// come, index.json, then every other blob, fetched ahead and written in order.
type archive struct {
	*backup
	out   orderedOutput
	cache *archiveCache
	blobs []*graph.Blob   // in the order in which they are written
	names []string        // of the artifacts that needed them first
	at    *graph.Blob     // the one that is being written
	lost  bool            // some blob was dropped, since no origin has it
	lists []digest.Digest // of a delta, once it is planned
}

// descriptors iterates over the blobs in the order in which they are written.
func (w *archive) descriptors() iter.Seq[ocispec.Descriptor] {
	return func(yield func(ocispec.Descriptor) bool) {
		for _, b := range w.blobs {
			if !yield(b.OCI()) {
				return
			}
		}
	}
}

func (w *archive) putManifest(desc ocispec.Descriptor, data []byte) error {
	return written(w.out.PutManifest(desc, data))
}

// unblock takes back one reason for an artifact to wait.
func (w *archive) unblock(j *job) {
	if j.pending--; j.pending == 0 && j.Visit.Whole() == nil && j.Visit.Referring(func(*graph.Visit, string) {}) == nil {
		w.Progress.Finished(j.report())
	}
}

// finishBlob unblocks the artifacts that wait for a blob which is written or given up.
func (w *archive) finishBlob(b *graph.Blob, err error) {
	job := w.blobJob(b)
	job.state, b.Err = blobDone, err
	if err == nil {
		w.planner.Release(b)
		w.headway.Forget(b.Key())
	} else {
		rest, _ := w.headway.GiveUp(b.Key())
		w.Progress.Expect(-rest)
	}
	for _, j := range job.waiting {
		w.unblock(j)
	}
	job.waiting = nil
}
