package serve

import (
	"crypto/sha256"
	"math"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store"
)

// verdict is the result of hashing a blob.
type verdict uint8

const (
	unknown verdict = iota
	right
	wrong
)

// verdicts keeps the verdicts on the blobs of one input. A verdict holds for a blob of one
// size while the file or the object that it is in, the archive or its own, is not changed.
type verdicts struct {
	mu  sync.Mutex // guards all
	all map[[sha256.Size]byte]judged
}

type judged struct {
	size    int64
	stamp   store.Stamp
	verdict verdict
}

// maxVerdicts bounds the verdicts that are kept, at 200 bytes each. Beyond it blobs are
// hashed again.
const maxVerdicts = 200_000

func key(d digest.Digest) [sha256.Size]byte { return sha256.Sum256([]byte(d)) }

// stamp returns the state of the file that a blob is in.
func stamp(blob store.RandomBlob) judged {
	j := judged{size: blob.Size(), stamp: store.Stamp{Time: math.MaxInt64}}
	if stamp, err := blob.Stamp(); err == nil {
		j.stamp = stamp
	}
	return j
}

// verdict returns what is known of a blob in a file of this state.
func (in *input) verdict(d digest.Digest, now judged) verdict {
	in.verdicts.mu.Lock()
	defer in.verdicts.mu.Unlock()
	if old, ok := in.verdicts.all[key(d)]; ok && old.size == now.size && old.stamp == now.stamp {
		return old.verdict
	}
	if !in.verified.IsZero() && now.stamp.Time != 0 && now.stamp.Time < in.verified.UnixNano() {
		return right
	}
	return unknown
}

// judge keeps a verdict on a blob in a file that had this state before it was hashed.
func (in *input) judge(d digest.Digest, before judged, v verdict) {
	before.verdict = v
	in.verdicts.mu.Lock()
	defer in.verdicts.mu.Unlock()
	if in.verdicts.all == nil || len(in.verdicts.all) >= maxVerdicts {
		in.verdicts.all = make(map[[sha256.Size]byte]judged)
	}
	in.verdicts.all[key(d)] = before
}
