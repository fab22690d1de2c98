package source

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/store"
)

// Open sorts the entries of an input into artifacts and their referrers. A dry run
// needs no blob, and reads on to the last index.json of a pipe at once.
func Open(ctx context.Context, in store.Input, o engine.RestoreOptions) (Source, error) {
	switch in := in.(type) {
	case *store.Stream:
		if o.DryRun {
			return openToEnd(ctx, in, o)
		}
		return newPipe(in, o, nil, newTaken()), nil
	case store.Layout:
		s := newLayout(in, o.Progress.Notice)
		if o.Trust != nil {
			s.local.Index(s.roots)
		}
		return s, nil
	}
	return nil, fmt.Errorf("unknown kind of input %T", in)
}

// openToEnd opens a pipe at its last index.json, for a run that needs none of its blobs but
// signatures.
func openToEnd(ctx context.Context, in *store.Stream, o engine.RestoreOptions) (Source, error) {
	came := newTaken()
	if o.Trust != nil {
		first := o
		first.Progress = engine.Silent{}
		p := newPipe(in, first, nil, came)
		forSignatures := func(engine.ArtifactReport) {} // the check asks for them
		if err := checkAll(ctx, p, p.layout, o.Trust, forSignatures); err != nil {
			return nil, err
		}
	}
	if err := readToEnd(ctx, in, came); err != nil {
		return nil, err
	}
	return newPipe(in, o, nil, came), nil
}

// readToEnd reads a pipe up to its last index.json.
func readToEnd(ctx context.Context, s *store.Stream, came *taken) error {
	for {
		d, size, err := s.Next()
		if err == nil {
			_, err = came.take(d, size, s)
		}
		if errors.Is(err, io.EOF) {
			came.end()
			return s.Complete()
		}
		if err != nil {
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
}
