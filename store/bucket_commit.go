package store

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"maps"
	mathrand "math/rand/v2"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Commit makes the entries of the index part of the layout. If another process has written
// index.json since it was read, the entries that were added here are merged into that one.
// If it fails, index.json stays as it is.
func (b *Bucket) Commit(ctx context.Context) error {
	b.commit.Lock()
	defer b.commit.Unlock()
	refused := refusals{path: b.name + bundle.IndexFile}
	for pause := firstRivalPause; ; pause = min(2*pause, maxRivalPause) {
		err := b.writeIndex(ctx)
		if !errors.Is(err, bucket.ErrCondition) {
			return err
		}
		if err := b.client.Wait(ctx, mathrand.N(pause)); err != nil {
			return err
		}
		if err := b.rereadIndex(); err != nil {
			return err
		}
		if err := refused.met(b.sum); err != nil {
			return err
		}
	}
}

// writeIndex writes index.json, unless it has the same bytes already. What this run relies on
// is struck off the list of prune before.
func (b *Bucket) writeIndex(ctx context.Context) error {
	return b.putIndex(ctx, b.annotations[oci.AnnotationPruned], b.strike)
}

// markIndex writes index.json with another mark, if it is the one that was read.
func (b *Bucket) markIndex(ctx context.Context) error {
	if b.single {
		return nil
	}
	return b.putIndex(ctx, rand.Text(), func(context.Context) error { return nil })
}

func (b *Bucket) putIndex(ctx context.Context, mark string, before func(context.Context) error) error {
	b.index.Annotate(map[string]string{oci.AnnotationPruned: mark})
	text, err := oci.NewIndexContent(b.index.Snapshot())
	if err != nil {
		return err
	}
	hash := text.SHA256()
	sum := digest.NewDigestFromBytes(digest.SHA256, hash[:])
	if sum == b.sum {
		return nil
	}
	if err := before(ctx); err != nil {
		return err
	}
	when := bucket.Condition{ETag: b.etag, Absent: b.etag == ""}
	if b.single {
		when = bucket.Condition{}
	}
	etag, err := b.client.PutContent(ctx, b.prefix+bundle.IndexFile, text, when)
	if err != nil {
		return err
	}
	b.etag, b.sum, b.annotations = etag, sum, maps.Clone(b.index.Annotations)
	return nil
}

// rereadIndex merges the entries of this run into the index.json that another process has
// written.
func (b *Bucket) rereadIndex() error {
	theirs := newObjects(b.client, b.name, b.prefix)
	if err := theirs.readIndex(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	read := maps.Clone(theirs.index.Annotations)
	b.index.Rebase(theirs.index, b.annotations)
	b.etag, b.sum, b.annotations = theirs.etag, theirs.sum, read
	return nil
}
