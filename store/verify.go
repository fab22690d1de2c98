package store

import (
	"context"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/store/delta"
)

// VerifyOptions configure Verify. The zero value works.
type VerifyOptions struct {
	Jobs     int           // blobs hashed concurrently; 0 means one per core
	Progress func(n int64) // called concurrently with the number of bytes read; may be nil

	// Artifact is called with the name of each artifact, or the digest of one without a name,
	// its digest, and a function that walks its graph once more for its size, in the order of
	// index.json; may be nil.
	Artifact func(reference string, root digest.Digest, size func() int64)

	// Take is offered each blob of a stream, and returns the bytes of one that it has read, else
	// nil; may be nil.
	Take func(d digest.Digest, size int64, r io.Reader) ([]byte, error)
}

// Verification is the result of Verify.
type Verification struct {
	Artifacts int   // entries of index.json, without referrers
	Referrers int   // entries with a subject and no name, members of lists of referrers, and attachments of cosign
	Blobs     int   // distinct blobs that index.json references, including manifests
	Bytes     int64 // of these
	LeftOver  int   // blobs that it does not reference; no fault
	// Left is the number of the blobs that a delta leaves to its base, which are no faults, and
	// LeftBytes their bytes; Base names it. Blobs and Bytes do not include them.
	Left      int
	LeftBytes int64
	Base      string
	// Faults are in the order of index.json, once for each entry that they affect.
	Faults []Fault
}

// Fault reports what is wrong with an entry of index.json.
type Fault struct {
	Reference string        // the entry's name; its digest if it has none
	Digest    digest.Digest // the blob at fault
	Err       error         // an *oci.MismatchError, a *MissingError, a *SubjectError, an *oci.NameError, ...
}

// MissingError reports an absent blob.
type MissingError struct{}

func (*MissingError) Error() string { return "missing" }

// Is makes errors.Is(err, fs.ErrNotExist) true.
func (*MissingError) Is(target error) bool { return target == fs.ErrNotExist }

// SubjectError reports a referrer whose subject is not in the layout.
type SubjectError struct{ Subject digest.Digest }

func (e *SubjectError) Error() string {
	return "refers to " + string(e.Subject) + ", which is not in the layout"
}

// Verify reads a whole layout and checks that the graph of every entry is complete, that
// every blob has its size and digest, and that every referrer has its subject. It returns
// an error if it cannot finish.
func Verify(ctx context.Context, l Layout, o VerifyOptions) (*Verification, error) {
	v := newVerifier(ctx, layoutSource{l}, l.Index(), o)
	v.delta, v.lists = ReadDelta(l)
	if err := v.walk(); err != nil {
		return nil, err
	}
	others, err := v.hashLayout(l)
	if err != nil {
		return nil, err
	}
	return v.result(others)
}

// VerifyStream is Verify for an archive that can be read once. It reads s to its end.
func VerifyStream(ctx context.Context, s *Stream, o VerifyOptions) (*Verification, error) {
	source := &streamSource{stream: s, received: make(map[digest.Digest]error)}
	v := newVerifier(ctx, source, nil, o)
	if err := source.hash(v.progress, o.Take); err != nil {
		return nil, err
	}
	if err := s.Complete(); err != nil {
		return nil, err
	}
	v.index = s.Index() // the last one
	v.delta, v.lists = delta.Read(v.index, s.Manifest)
	if err := v.walk(); err != nil {
		return nil, err
	}
	for _, n := range v.reached {
		if !n.read && !v.isLeft(n) {
			v.blame(n.digest, n.size, source.check(n.descriptor()))
		}
	}
	return v.result(source.unreached(v.reached, v.delta))
}

// hashLayout hashes the reached blobs that are not read yet, in the order in which the
// layout is read fastest, and counts those that are not reached.
func (v *verifier) hashLayout(l Layout) (others int, err error) {
	v.walked = nil // no graph is walked any more
	jobs, ctx := errgroup.WithContext(v.ctx)
	jobs.SetLimit(v.jobs())
	hash := func(n *reachedBlob) {
		n.read = true
		if ctx.Err() != nil {
			return
		}
		jobs.Go(func() error {
			v.blame(n.digest, n.size, hashBlob(l, n.descriptor(), v.progress))
			return ctx.Err()
		})
	}
	left := make(map[digest.Digest]bool)
	if l, ok := l.(lister); ok {
		for d := range l.blobs() {
			switch n := v.reached[d]; {
			case n == nil && !v.delta.IsList(d):
				left[d] = true
			case n != nil && !n.read:
				hash(n)
			}
		}
	}
	for _, n := range v.reached {
		if !n.read && !v.isLeft(n) { // the layout has it not, or cannot list
			hash(n)
		}
	}
	if _, union := l.(*Union); union { // a base has blobs that its delta does not need
		clear(left)
	}
	return len(left), jobs.Wait()
}
