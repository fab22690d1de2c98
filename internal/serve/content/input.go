package content

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store"
)

// Input is one layout.
type Input struct {
	// Bases names the bases of a delta, which have the other blobs; "" if it is not one.
	Bases string

	layout   store.Layout
	verdicts verdicts
}

// Blob is a blob of an input.
type Blob struct {
	store.RandomBlob
	digest digest.Digest
	before judged // the state of its file when it was opened
	input  *Input
}

// Open opens a blob. A caller that goes on with a WriteRange from the start says whole: in a
// bucket both are one request.
func (in *Input) Open(d digest.Digest, whole bool) (*Blob, error) {
	open := store.OpenRandom
	if whole {
		open = store.OpenWhole
	}
	blob, err := open(in.layout, d)
	if err != nil {
		return nil, err
	}
	return &Blob{RandomBlob: blob, digest: d, before: stamp(blob), input: in}, nil
}

// Verdict returns what is known of the bytes.
func (b *Blob) Verdict() Verdict { return b.input.verdicts.find(b.digest, b.before) }

// Judge keeps the verdict of a caller that has hashed the bytes.
func (b *Blob) Judge(v Verdict) { b.input.verdicts.keep(b.digest, b.before, v) }
