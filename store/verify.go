package store

import (
	"context"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// Verify reads a whole layout and checks that the graph of every entry is complete, that
// every blob has its size and digest, and that every referrer has its subject. It returns
// an error if it cannot finish.
func Verify(ctx context.Context, l Layout, o verify.Options) (*verify.Result, error) {
	v := verify.New(ctx, layoutSource{l}, l.Index(), o)
	defer v.Release()
	v.Delta, v.Lists = ReadDelta(l)
	if err := v.Walk(); err != nil {
		return nil, err
	}
	others, err := hashLayout(ctx, v, l)
	if err != nil {
		return nil, err
	}
	return v.Result(others)
}

// VerifyStream is Verify for an archive that can be read once. It reads s to its end.
func VerifyStream(ctx context.Context, s *Stream, o verify.Options) (*verify.Result, error) {
	source := &streamSource{stream: s, received: make(map[digest.Digest]error)}
	v := verify.New(ctx, source, nil, o)
	defer v.Release()
	if err := source.hash(v.Progress, o.Take); err != nil {
		return nil, err
	}
	if err := s.Complete(); err != nil {
		return nil, err
	}
	v.Index = s.Index() // the last one
	v.Delta, v.Lists = delta.Read(v.Index, s.Manifest)
	if err := v.Walk(); err != nil {
		return nil, err
	}
	for _, n := range v.Reached {
		if !n.Read && !v.IsLeft(n) {
			v.Blame(n.Digest, n.Size, source.check(n.Descriptor()))
		}
	}
	return v.Result(source.unreached(v.Reached, v.Delta))
}

// hashLayout hashes the reached blobs that are not read yet, in the order in which the
// layout is read fastest, and counts those that are not reached.
func hashLayout(ctx context.Context, v *verify.Verifier, l Layout) (others int, err error) {
	v.ForgetWalks()
	jobs, ctx := errgroup.WithContext(ctx)
	jobs.SetLimit(v.Jobs())
	hash := func(n *verify.Blob) {
		n.Read = true
		if ctx.Err() != nil {
			return
		}
		jobs.Go(func() error {
			v.Blame(n.Digest, n.Size, hashBlob(l, n.Descriptor(), v.Progress))
			return ctx.Err()
		})
	}
	left := make(map[digest.Digest]bool)
	if l, ok := l.(lister); ok {
		for d := range l.blobs() {
			switch n := v.Reached[d]; {
			case n == nil && !v.Delta.IsList(d):
				left[d] = true
			case n != nil && !n.Read:
				hash(n)
			}
		}
	}
	for _, n := range v.Reached {
		if !n.Read && !v.IsLeft(n) { // the layout has it not, or cannot list
			hash(n)
		}
	}
	if _, union := l.(*Union); union { // a base has blobs that its delta does not need
		clear(left)
	}
	return len(left), jobs.Wait()
}
