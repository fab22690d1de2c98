package store

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bucket"
)

const (
	// claimPoll bounds the pause before prune.json is read again while a claim has not ended.
	claimPoll = 2 * time.Second
	// maxClaimPolls is reached after about five minutes. A claim that lasts longer belongs to a
	// run that was killed.
	maxClaimPolls = 300
)

// strike takes the blobs that this run relies on off the list of prune, before index.json
// references them.
func (b *Bucket) strike(ctx context.Context) error {
	refused := refusals{path: b.name + pruneFile}
	for polls := 0; ; {
		list, err := b.readPruneList(ctx)
		if err != nil {
			return err
		}
		if list.etag != b.pruneTag || len(list.Blobs)+len(list.Claimed) > 0 {
			if err := b.readTrusted(ctx); err != nil {
				return err
			}
		}
		if n, _ := b.usedAmong(list.Claimed); n > 0 {
			if polls++; polls > maxClaimPolls {
				return &PrunedError{Path: b.name, Blobs: n}
			}
			if err := b.client.Wait(ctx, rand.N(claimPoll)); err != nil {
				return err
			}
			continue
		}
		if list.etag != b.pruneTag {
			if err := b.checkUsed(ctx); err != nil {
				return err
			}
		}
		if changed, err := b.strikeOff(ctx, list, &refused); err != nil || !changed {
			return err
		}
	}
}

// strikeOff takes the blobs that this run relies on off a list. changed reports that another
// process has changed the list in between.
func (b *Bucket) strikeOff(ctx context.Context, list *pruneList, refused *refusals) (changed bool, err error) {
	if n, others := b.usedAmong(list.Blobs); n > 0 {
		list.Blobs = others
		err = b.writePruneList(ctx, list)
	}
	if !errors.Is(err, bucket.ErrCondition) {
		b.pruneTag = list.etag
		return false, err
	}
	if err := refused.met(list.sum); err != nil {
		return true, err
	}
	return true, b.client.Wait(ctx, rand.N(firstRivalPause))
}

// checkUsed lists the blobs again: prune has run since they were listed.
func (b *Bucket) checkUsed(ctx context.Context) error {
	if err := b.list(ctx); err != nil {
		return err
	}
	b.using.Lock()
	defer b.using.Unlock()
	missing := 0
	for d := range b.used.All() {
		if _, err := b.Stat(d); err != nil {
			missing++
		}
	}
	if missing > 0 {
		return &PrunedError{Path: b.name, Blobs: missing}
	}
	return nil
}

// without returns the digests of a that are not in b; both are sorted.
func without(a, b []digest.Digest) []digest.Digest {
	return slices.DeleteFunc(slices.Clone(a), func(d digest.Digest) bool {
		_, found := slices.BinarySearch(b, d)
		return found
	})
}

// writePruneList writes prune.json if it is the one that was read; else the error is
// bucket.ErrCondition.
func (b *Bucket) writePruneList(ctx context.Context, list *pruneList) (err error) {
	data, err := json.Marshal(list)
	if err != nil {
		return err
	}
	when := bucket.Condition{ETag: list.etag, Absent: list.etag == ""}
	if b.single {
		when = bucket.Condition{}
	}
	list.etag, err = b.client.Put(ctx, b.prefix+pruneFile, data, when)
	return err
}
