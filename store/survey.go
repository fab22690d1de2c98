package store

import (
	"context"
	"iter"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/verify"
)

// NewSurvey reads all manifests of a layout, verified, and looks for each blob. The bytes of
// blobs are not read.
func NewSurvey(ctx context.Context, l Layout) (*verify.Survey, error) {
	v := verify.New(ctx, layoutSource{l}, l.Index(), verify.Options{})
	var err error
	if v.Delta, err = ReadDelta(l); err != nil {
		return nil, err
	}
	return verify.NewSurvey(v, l.Stat, archivesOf(l))
}

// archivesOf lists the archives among the layouts of a union, those that no delta replaces
// first, and of each kind the last first.
func archivesOf(l Layout) (all []iter.Seq[digest.Digest]) {
	u, ok := l.(*Union)
	if !ok {
		return appendArchive(nil, l)
	}
	for _, replaced := range []bool{false, true} {
		for i := len(u.inputs) - 1; i >= 0; i-- {
			if u.inputs[i].replaced == replaced {
				all = appendArchive(all, u.inputs[i].Layout)
			}
		}
	}
	return all
}

// appendArchive appends a layout whose blobs have an order.
func appendArchive(to []iter.Seq[digest.Digest], l Layout) []iter.Seq[digest.Digest] {
	switch l := l.(type) {
	case *folder, *objects, *Dir, *Bucket:
		return to
	case lister:
		return append(to, l.blobs())
	}
	return to
}
