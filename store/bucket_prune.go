package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// defaultGrace is longer than a backup lasts from its first blob to its index.json.
const defaultGrace = 24 * time.Hour

// errClaimOver ends the removal of what was claimed too long ago. It is claimed again.
var errClaimOver = errors.New("the claim is over")

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
//
// The time between the runs spares writers a failure. That nothing is lost depends on the
// order of the writes, however long one of them takes:
//
//  1. Prune claims blobs in prune.json, if that is the one that it read.
//  2. It marks index.json, if that is still the one in which nothing references them. The mark
//     is random, so index.json never has the same ETag again.
//  3. It removes the blobs.
//  4. It ends the claim.
//
// A writer reads index.json, then prune.json, and then writes index.json if it is still the
// one that it read. If it read index.json before the mark, its write fails, and it begins
// again, or its write came first, and the mark fails. If it read index.json after the mark, it
// finds the claim, and waits; or prune.json has changed since it listed the blobs, and it
// lists them again.
//
// Only the run that has claimed blobs removes them, and for claimTime only. Another one
// takes the claim over after claimAge, when the first was killed.
func (b *Bucket) Prune(ctx context.Context, o PruneOptions) (*Pruned, error) {
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.run = rand.Text()
	refused := refusals{path: b.name}
	for {
		result, err := b.pruneOnce(ctx, o)
		if err == nil && !o.DryRun {
			result.Uploads, err = b.abortStale(ctx, o.Now().Add(-uploadAge))
		}
		unreadable, _ := errors.AsType[*PruneError](err)
		if unreadable == nil && !errors.Is(err, bucket.ErrCondition) && !errors.Is(err, errClaimOver) {
			return result, err
		}
		if err := b.client.Wait(ctx, mathrand.N(firstRivalPause)); err != nil {
			return nil, err
		}
		before := b.etag
		list, err := b.readPruneList(ctx)
		if err := errors.Join(b.rereadToPrune(ctx), err); err != nil {
			return nil, err
		}
		if unreadable != nil && b.etag == before { // else another run has removed it
			return nil, unreadable
		}
		if err := refused.met(b.sum + list.sum); err != nil {
			return nil, err
		}
	}
}

// rereadToPrune reads what another process has changed.
func (b *Bucket) rereadToPrune(ctx context.Context) error {
	if err := errors.Join(b.readIndex(), b.list(ctx)); err != nil {
		return err
	}
	b.annotations = maps.Clone(b.index.Annotations)
	return nil
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
		b.index.Retain(func(e oci.Entry) bool { return p.retained[e.Key()] })
	}
	if err := b.writeIndex(ctx); err != nil {
		return nil, err
	}
	if list.isClaimedByOther(o.run, o.Now()) {
		return result, nil // it lists the others, too
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
	if list.isClaimedByOther(o.run, o.Now()) {
		return nil
	}
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
	next := &pruneList{Listed: list.Listed, Blobs: intersection(list.Blobs, rest), Run: o.run, etag: list.etag}
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
	if err := b.markIndex(ctx); err != nil {
		return err
	}
	if err := b.removeClaimed(ctx, next, o); err != nil {
		return err
	}
	return b.endClaim(ctx, next)
}

// removeClaimed removes what this run has claimed. A machine may have slept since: another run
// may have taken the claim over, and writers may have stored the blobs again.
func (b *Bucket) removeClaimed(ctx context.Context, list *pruneList, o PruneOptions) error {
	may := func() error {
		if !o.Now().Before(list.Listed.Add(claimTime)) {
			return errClaimOver
		}
		return nil
	}
	jobs, ctx := errgroup.WithContext(ctx)
	jobs.SetLimit(cmp.Or(o.jobs, removeJobs))
	for _, d := range list.Claimed {
		jobs.Go(func() error { return b.client.RemoveWhile(ctx, b.prefix+bundle.BlobName(d), may) })
	}
	return jobs.Wait()
}

// endClaim removes the claim of this run from prune.json, unless another one has taken it over.
func (b *Bucket) endClaim(ctx context.Context, list *pruneList) error {
	run := list.Run
	for refused := (refusals{path: b.name + pruneFile}); ; {
		list.Claimed = nil
		err := b.writePruneList(ctx, list)
		if !errors.Is(err, bucket.ErrCondition) {
			return err
		}
		if list, err = b.readPruneList(ctx); err != nil || list.Run != run { // else a writer has struck something off
			return err
		}
		if err := refused.met(list.sum); err != nil {
			return err
		}
	}
}

// intersection returns the digests of a that are in b, which is sorted.
func intersection(a, b []digest.Digest) []digest.Digest {
	return slices.DeleteFunc(slices.Clone(a), func(d digest.Digest) bool {
		_, found := slices.BinarySearch(b, d)
		return !found
	})
}
