package store

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// DefaultGrace is longer than a backup lasts from its first blob to its index.json.
const DefaultGrace = 24 * time.Hour

// removeJobs is the number of objects that are removed side by side.
const removeJobs = 32

// OpenLayoutBucket opens a layout in a bucket, which must be there already, for writing.
func OpenLayoutBucket(path string, o CreateOptions) (*Bucket, error) {
	b, err := newBucket(path, o)
	if err != nil {
		return nil, inputError(path, err)
	}
	if err := b.readIndex(); errors.Is(err, fs.ErrNotExist) {
		return nil, &InputError{Path: path, Reason: "no OCI layout in the bucket under this name", Err: err}
	} else if err != nil {
		return nil, inputError(path, err)
	}
	if err := b.begin(b.client.Context()); err != nil {
		return nil, outputError(path, err)
	}
	return b, nil
}

// Prune removes the entries that are not kept, and the referrers whose subject is then in no
// graph. What nothing references any more is listed in prune.json, and removed by a later run
// if nothing references it then, either: another process may just be about to use it. Uploads
// of blobs that no process continued for a week are aborted.
func (b *Bucket) Prune(ctx context.Context, o PruneOptions) (*Pruned, error) {
	if o.Grace <= 0 {
		o.Grace = DefaultGrace
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	refused := refusals{path: b.name}
	for {
		result, err := b.pruneOnce(ctx, o)
		if err == nil && !o.DryRun {
			result.Uploads, err = b.abortStale(ctx, o.Now().Add(-uploadAge))
		}
		if !errors.Is(err, bucket.ErrCondition) {
			return result, err
		}
		if err := b.client.Wait(ctx, rand.N(firstRivalPause)); err != nil {
			return nil, err
		}
		list, listErr := b.readPruneList(ctx)
		if err := errors.Join(b.readIndex(), b.list(ctx), listErr); err != nil {
			return nil, err
		}
		if err := refused.met(b.sum + list.sum); err != nil {
			return nil, err
		}
	}
}

// pruneOnce prunes what was read. If another process has changed it, the error is
// bucket.ErrCondition.
func (b *Bucket) pruneOnce(ctx context.Context, o PruneOptions) (*Pruned, error) {
	list, err := b.readPruneList(ctx)
	if err != nil {
		return nil, err
	}
	if !o.DryRun && o.Prepare != nil {
		o.Prepare(b.index)
	}
	p, err := newPruner(ctx, b, o)
	if err != nil {
		return nil, err
	}
	result, gone := p.result()
	slices.Sort(gone)
	due := b.due(list, gone, o)
	b.count(result, list, gone, due, o)
	if o.ListBlobs {
		result.Gone = blobsOf(b, due)
	}
	if o.DryRun {
		return result, nil
	}
	if p.dropsEntries(result) {
		b.index.retain(func(e Entry) bool { return p.retained[e.key()] })
	}
	if err := b.writeIndex(ctx); err != nil {
		return nil, err
	}
	return result, b.removeDue(ctx, list, gone, due, o)
}

// abortStale aborts the uploads of blobs without a part since a time. A killed run has left
// them, and nothing else shows them.
func (b *Bucket) abortStale(ctx context.Context, since time.Time) (n int, err error) {
	n, err = b.client.AbortStale(ctx, b.prefix+"blobs/", since, func(key string) bool {
		_, isBlob := blobDigest(strings.TrimPrefix(key, b.prefix))
		return isBlob
	})
	if errors.Is(err, bucket.ErrUnsupported) {
		return n, nil
	}
	return n, err
}

// due returns the blobs that may be removed now: those that were listed long enough ago and
// are still not referenced, and those that a killed run has claimed.
func (b *Bucket) due(list *pruneList, gone []digest.Digest, o PruneOptions) []digest.Digest {
	due := intersection(list.Claimed, gone)
	if list.etag != "" && !o.Now().Before(list.Listed.Add(o.Grace)) {
		due = append(due, intersection(list.Blobs, gone)...)
	}
	slices.Sort(due)
	return slices.Compact(due)
}

// count corrects what a result says about blobs: most of them wait.
func (b *Bucket) count(result *Pruned, list *pruneList, gone, due []digest.Digest, o PruneOptions) {
	result.Blobs, result.Bytes = len(due), b.bytesOf(due)
	rest := without(gone, due)
	result.Waiting, result.WaitingBytes = len(rest), b.bytesOf(rest)
	result.Until = o.Now().Add(o.Grace)
	if listed := list.Listed.Add(o.Grace); len(due) == 0 && len(list.Blobs) > 0 && listed.After(o.Now()) {
		result.Until = listed
	}
}

func (b *Bucket) bytesOf(blobs []digest.Digest) (bytes int64) {
	for _, d := range blobs {
		if size, err := b.Stat(d); err == nil {
			bytes += size
		}
	}
	return bytes
}

// removeDue claims the blobs that are due, removes them, and lists the others. The claim
// fails if a writer has struck one off since the list was read.
func (b *Bucket) removeDue(ctx context.Context, list *pruneList, gone, due []digest.Digest, o PruneOptions) error {
	rest := listable(without(gone, due), due)
	next := &pruneList{Listed: list.Listed, Blobs: intersection(list.Blobs, rest), etag: list.etag}
	if len(due) > 0 || len(list.Blobs) == 0 {
		next.Listed, next.Blobs = o.Now().UTC(), rest
	}
	if len(due) == 0 {
		if len(next.Blobs) == 0 && list.etag == "" || len(list.Claimed) == 0 && len(list.Blobs) > 0 && slices.Equal(next.Blobs, list.Blobs) {
			return nil
		}
		return b.writePruneList(ctx, next)
	}
	next.Claimed = due
	if err := b.writePruneList(ctx, next); err != nil {
		return err
	}
	if err := b.removeBlobs(ctx, due); err != nil {
		return err
	}
	for refused := (refusals{path: b.name + PruneFile}); ; {
		next.Claimed = nil
		err := b.writePruneList(ctx, next)
		if !errors.Is(err, bucket.ErrCondition) {
			return err
		}
		if next, err = b.readPruneList(ctx); err != nil { // a writer has struck something off
			return err
		}
		if err := refused.met(next.sum); err != nil {
			return err
		}
	}
}

func (b *Bucket) removeBlobs(ctx context.Context, blobs []digest.Digest) error {
	jobs, ctx := errgroup.WithContext(ctx)
	jobs.SetLimit(removeJobs)
	for _, d := range blobs {
		jobs.Go(func() error { return b.client.Remove(ctx, b.prefix+bundle.BlobName(d)) })
	}
	return jobs.Wait()
}

// intersection returns the digests of a that are in b, which is sorted.
func intersection(a, b []digest.Digest) []digest.Digest {
	return slices.DeleteFunc(slices.Clone(a), func(d digest.Digest) bool {
		_, found := slices.BinarySearch(b, d)
		return !found
	})
}
