package store

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// pruneFile is the object in a bucket that lists what prune may remove.
const pruneFile = "prune.json"

// maxPruneList bounds the bytes of prune.json: 440,000 blobs with a sha256. It is held in
// memory twice. What else is unreferenced is listed by a later run.
const maxPruneList = 32 << 20

// PruneListError reports a prune.json that is none of ours.
type PruneListError struct {
	Path string // of the object
	Err  error
}

func (e *PruneListError) Error() string { return e.Path + ": " + e.Err.Error() }
func (e *PruneListError) Unwrap() error { return e.Err }

// pruneList is the content of prune.json. It is the place where prune and the writers of a
// bucket meet: each changes it only if it is the one that it read. See [Bucket.Prune].
type pruneList struct {
	Listed  time.Time       `json:"listed"`            // when Blobs was made, and Claimed
	Blobs   []digest.Digest `json:"blobs"`             // sorted
	Claimed []digest.Digest `json:"claimed,omitempty"` // sorted: about to be removed
	Run     string          `json:"run,omitempty"`     // of prune, that has written it; random

	etag string        // of the object; "" if there is none
	sum  digest.Digest // of its bytes
}

// isClaimedByOther reports whether another run may still remove what it has claimed.
func (l *pruneList) isClaimedByOther(run string, now time.Time) bool {
	return len(l.Claimed) > 0 && l.Run != run && now.Before(l.Listed.Add(claimAge))
}

// readPruneList reads prune.json. If there is none, the list is empty.
func (o *objects) readPruneList(ctx context.Context) (*pruneList, error) {
	list := new(pruneList)
	data, etag, err := o.client.Get(ctx, o.prefix+pruneFile, maxPruneList)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil
	}
	if err == nil {
		err = json.Unmarshal(data, list)
	} else if !errors.Is(err, bucket.ErrTooLong) {
		return nil, err
	}
	if err != nil {
		return nil, &PruneListError{Path: o.name + pruneFile, Err: err}
	}
	list.etag, list.sum = etag, digest.FromBytes(data)
	return list, nil
}

// listable returns as many of some blobs as prune.json has room for beside those that it claims.
func listable(blobs, claimed []digest.Digest) []digest.Digest {
	const comma, rest = len(`"",`), 1 << 10
	room := maxPruneList - rest
	for _, d := range claimed {
		room -= len(d) + comma
	}
	for i, d := range blobs {
		if room -= len(d) + comma; room < 0 {
			return blobs[:i]
		}
	}
	return blobs
}

const (
	// claimTime is the time in which a run removes what it has claimed, and claimAge the one
	// after which another run takes the claim over. The difference is for a last request, and
	// for clocks: a store refuses a request whose clock is wrong by 15 minutes.
	claimTime = 15 * time.Minute
	claimAge  = time.Hour
)
