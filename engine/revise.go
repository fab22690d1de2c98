package engine

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store"
)

// listedKey is an entry of an index.json.
type listedKey struct {
	name   string
	digest digest.Digest
}

func keysOf(index *store.Index) map[listedKey]bool {
	keys := make(map[listedKey]bool, len(index.Entries))
	for _, e := range index.Entries {
		keys[listedKey{e.Name, e.Digest}] = true
	}
	return keys
}

// holds keeps a delivery from starting as long as a later index.json may take it back.
func (r *restore) holds(d *delivery) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hold {
		r.held = append(r.held, d)
	}
	return r.hold
}

// atEnd decides at the end of a pipe what holds: the last index.json, as in a file. If
// it is the one that the restore began with, what was held starts.
func (r *restore) atEnd() error {
	if r.in.stream.Index() != r.listed {
		return nil // revise does what there is to do
	}
	r.mu.Lock()
	held := r.held
	r.hold, r.held = false, nil
	r.mu.Unlock()
	for _, d := range held {
		if err := r.ready(d); err != nil {
			return err
		}
	}
	return r.absent()
}

// revise follows the last index.json of a pipe, if there was another one before it: all
// blobs that the pipe had are in the targets by now. What is done already stays so,
// unless it was withdrawn; what is listed for the first time came too late.
func (r *restore) revise(ctx context.Context) error {
	if r.in.stream == nil || r.in.stream.Index() == r.listed {
		return nil
	}
	first, last := keysOf(r.listed), keysOf(r.in.stream.Index())
	settled := make(map[string]bool)
	r.all = slices.DeleteFunc(r.all, func(d *delivery) bool { return !d.done && d.err == nil })
	for _, d := range r.all {
		settled[d.name+"\x00"+d.destination()] = true
		if d.done && !last[d.listed] {
			d.done, d.err = false, ErrWithdrawn
			if d.parent == nil {
				r.whole--
				r.tell(d)
			}
		}
	}
	second := newRestore(r.client, r.RestoreOptions)
	second.Progress, second.before = again{r.Progress}, first
	second.Again = func(reference, target string) bool {
		return !settled[reference+"\x00"+target] && (r.Again == nil || r.Again(reference, target))
	}
	err := second.run(ctx, r.in.stream)
	r.moved.Add(second.moved.Load())
	maps.Copy(r.taken, second.taken)
	r.whole += second.whole
	r.all = append(r.all, second.all...)
	if len(r.all) > 0 && (errors.Is(err, ErrNothing) || errors.Is(err, ErrNoArtifact)) {
		err = nil // whether nothing is whole, the first run knows
	}
	return err
}

// feedNothing looks in the targets for the blobs of a pipe that has ended.
func (r *restore) feedNothing() {
	for _, u := range r.order {
		r.pool.add(u.registry, 0, func(ctx context.Context) error {
			for _, p := range u.places {
				has, err := p.repo.HasBlob(ctx, u.blob.oci())
				if err == nil && !has {
					err = &CorruptError{Err: &MissingError{Blob: u.digest.String()}}
				}
				p.err = err
			}
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return r.sent(u)
		})
	}
}

// again is the progress of a second look at the same artifacts.
type again struct{ Progress }

func (again) Listed(int)   {}
func (again) Resolved()    {}
func (again) Expect(int64) {}

// late gives those roots a fault that the index.json a pipe began with did not list.
func (r *restore) late(roots []root) {
	if r.before == nil {
		return
	}
	for i, root := range roots {
		if root.fault == nil && !r.before[listedKey{root.entry.Name, root.entry.Digest}] {
			roots[i].fault = &store.LateError{Digest: root.entry.Digest}
		}
	}
}

// readToEnd takes in the last index.json of a pipe, for a run that needs no blob of it.
func readToEnd(ctx context.Context, s *store.Stream) error {
	for {
		if _, _, err := s.Next(); err != nil {
			if errors.Is(err, io.EOF) {
				return s.Complete()
			}
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
	}
}
