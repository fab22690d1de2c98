// Package base finds the blobs of the bases of a delta: those that a backup leaves out. A
// base is a layout, a lock, or the registry that a backup was restored to. Only blobs that
// its artifacts need count: a restore of the base brings no others.
package base

import (
	"context"
	"errors"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Bases are the bases of one delta. The zero value has none. Add them one after the other,
// before the first call of Homes.
type Bases struct {
	Notice      func(string) // nil: notices are dropped
	Concurrency int          // requests in flight; 0 means 16

	blobs blobs
	all   []one
}

var _ engine.Base = (*Bases)(nil)

// one is one base.
type one struct {
	name  string
	title string // in the delta: what has to be restored before it
	roots digest.Digest
	again Again
}

// Again reads the roots of a base again, for a check that it did not change; nil: that cannot be
// checked.
type Again func(context.Context) (digest.Digest, error)

func (b *Bases) add(o one) { b.all = append(b.all, o) }

func (b *Bases) notice(text string) {
	if b.Notice != nil {
		b.Notice(text)
	}
}

func (b *Bases) concurrency() int {
	if b.Concurrency > 0 {
		return b.Concurrency
	}
	return 16
}

// Names names what has to be restored before the delta.
func (b *Bases) Names() []string {
	var names []string
	for _, o := range b.all {
		names = append(names, o.title)
	}
	return names
}

// Roots returns the digests of the roots of the bases.
func (b *Bases) Roots() []digest.Digest {
	var all []digest.Digest
	for _, o := range b.all {
		all = append(all, o.roots)
	}
	return all
}

// Homes returns the repositories that have a blob.
func (b *Bases) Homes(desc ocispec.Descriptor) (repositories []string, ok bool) {
	return b.blobs.homes(graph.Compact(desc))
}

// Check reads the roots of each base again.
func (b *Bases) Check(ctx context.Context) error {
	for _, o := range b.all {
		if o.again == nil {
			continue
		}
		roots, err := o.again(ctx)
		if _, full := errors.AsType[*bounds.MemoryError](err); full {
			continue // the plan leaves no room to read a large index.json once more
		}
		if err != nil || roots != o.roots {
			if cause := context.Cause(ctx); cause != nil {
				return cause
			}
			return &engine.BaseChangedError{Base: o.name}
		}
	}
	return nil
}
