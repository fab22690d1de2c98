package backup

import (
	"maps"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
)

// mostLists bounds the lists of a directory that many runs have written to: beyond that all are
// rewritten as few.
const mostLists = 100

// markDelta marks the index of a directory, which may have content of earlier runs, with a list of
// what is new since the last call. The caller holds the lock, or no one else needs it.
func (d *directory) markDelta(elsewhere map[digest.Digest]string) error {
	if d.Base == nil {
		return nil
	}
	if d.delta == nil {
		d.delta = &delta.Delta{}
	}
	fresh := delta.Content{Elsewhere: elsewhere}
	for _, blob := range d.held {
		if !d.delta.Holds(blob) {
			fresh.Blobs = append(fresh.Blobs, blob)
		}
	}
	maps.DeleteFunc(fresh.Elsewhere, func(blob digest.Digest, repository string) bool { return d.delta.Repository(blob) == repository })
	d.held = nil
	if err := d.list(fresh); err != nil {
		return err
	}
	d.delta.Bases, d.delta.Names = united(d.delta.Bases, d.Base.Roots()), united(d.delta.Names, d.Base.Names())
	d.delta.Mark(d.out.Index())
	return nil
}

// openDelta reads the lists of the output. If one is damaged, all are rewritten without it.
func (d *directory) openDelta() {
	var err error
	if d.delta, err = store.ReadDelta(d.out); err != nil {
		d.held = d.delta.Held()
		d.delta = &delta.Delta{Bases: d.delta.Bases, Names: d.delta.Names}
	}
}

// list adds a list with the new content of a delta, or rewrites all lists.
func (d *directory) list(fresh delta.Content) error {
	lists := d.delta.Lists
	if err := d.delta.Add(fresh); err != nil {
		return err
	}
	switch {
	case len(lists) >= mostLists:
		lists, fresh = nil, delta.Content{Blobs: d.delta.Held(), Elsewhere: d.delta.Elsewhere()}
	case len(lists) > 0 && len(fresh.Blobs)+len(fresh.Elsewhere) == 0:
		return nil
	}
	added, err := putLists(fresh.Lists(), func(desc ocispec.Descriptor, data []byte) error { return written(d.out.Push(desc, data)) })
	d.delta.Lists = append(lists, added...)
	return err
}
