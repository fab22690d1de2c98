// Package base finds the blobs of the bases of a delta: those that a backup leaves out. A
// base is a layout, a lock, or the registry that a backup was restored to. Only blobs that
// its artifacts need count: a restore of the base brings no others.
package base

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
)

// Bases are the bases of one delta. The zero value has none. Add them one after the other,
// before the first call of Homes.
type Bases struct {
	Notice      func(string) // nil: notices are dropped
	Concurrency int          // requests in flight; 0 means 16

	blobs   blobs
	all     []one
	watched []watched
}

var _ engine.Base = (*Bases)(nil)

// one is one base.
type one struct {
	title string // in the delta: what has to be restored before it
	roots digest.Digest
}

// watched is a file or a layout that a base was read from.
type watched struct {
	name    string
	changed func(context.Context) (bool, error)
}

func (b *Bases) add(title string, roots digest.Digest) { b.all = append(b.all, one{title, roots}) }

// Watch adds a file or a layout that a base was read from to those that Check looks at. changed
// reports whether it is no longer what was read; so does the error fs.ErrNotExist.
func (b *Bases) Watch(name string, changed func(context.Context) (bool, error)) {
	b.watched = append(b.watched, watched{name, changed})
}

// tellEmpty tells that a base cannot lend anything: a name may be misspelled.
func (b *Bases) tellEmpty(name string, artifacts int) {
	if artifacts == 0 {
		b.notice("the base " + name + " has none of these artifacts: nothing is left to it")
	}
}

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
	return b.blobs.homes(content.Of(desc))
}

// Check looks at everything that is watched. The content of a registry is not.
func (b *Bases) Check(ctx context.Context) error {
	for _, w := range b.watched {
		changed, err := w.changed(ctx)
		if changed || errors.Is(err, fs.ErrNotExist) {
			return &engine.BaseChangedError{Base: w.name}
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}
