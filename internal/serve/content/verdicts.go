package content

import (
	"crypto/sha256"
	"math"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store"
)

// Verdict is the result of hashing a blob.
type Verdict uint8

const (
	Unknown Verdict = iota // not hashed, or changed since
	Right                  // the bytes have the digest of the blob
	Wrong                  // they have another digest
)

// verdicts keeps the verdicts on the blobs of one input. A verdict holds for a blob of one
// size while the file or the object that it is in, the archive or its own, is not changed.
type verdicts struct {
	verified time.Time // all blobs that are older were hashed; zero: none

	mu  sync.Mutex // guards all
	all map[[sha256.Size]byte]judged
}

// judged is a verdict, and the state of the file that it is about.
type judged struct {
	size    int64
	stamp   store.Stamp
	verdict Verdict
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

// find returns what is known of a blob in a file of this state.
func (v *verdicts) find(d digest.Digest, now judged) Verdict {
	v.mu.Lock()
	defer v.mu.Unlock()
	if old, ok := v.all[key(d)]; ok && old.size == now.size && old.stamp == now.stamp {
		return old.verdict
	}
	if !v.verified.IsZero() && now.stamp.Time != 0 && now.stamp.Time < v.verified.UnixNano() {
		return Right
	}
	return Unknown
}

// keep keeps a verdict on a blob in a file that had this state before it was hashed.
func (v *verdicts) keep(d digest.Digest, before judged, verdict Verdict) {
	before.verdict = verdict
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.all == nil || len(v.all) >= maxVerdicts {
		v.all = make(map[[sha256.Size]byte]judged)
	}
	v.all[key(d)] = before
}
