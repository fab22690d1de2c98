package store

import (
	"context"
	"io/fs"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
)

// VerifyOptions are the choices of Verify. The zero value works.
type VerifyOptions struct {
	Jobs     int           // blobs hashed side by side; 0 means one a core
	Progress func(n int64) // hears of bytes as they are read, from many goroutines; may be nil
}

// Verification is what was found in a layout.
type Verification struct {
	Artifacts int   // what index.json lists, without referrers
	Referrers int   // its entries that have no name but a subject, and what its lists of referrers name
	Blobs     int   // distinct ones that index.json reaches, with manifests
	Bytes     int64 // that these have
	LeftOver  int   // blobs that it does not reach; no fault
	// Faults are in the order of index.json, once for every entry that they
	// concern.
	Faults []Fault
}

// Fault says what is wrong with an entry of index.json.
type Fault struct {
	Reference string        // the entry's name; its digest if it has none
	Digest    digest.Digest // the blob at fault
	Err       error         // a *MismatchError, a *MissingError, a *SubjectError, a *NameError, ...
}

// MissingError says that a blob is not there.
type MissingError struct{}

func (*MissingError) Error() string { return "is missing" }

// Is makes a missing blob known to those who ask in the words of files.
func (*MissingError) Is(target error) bool { return target == fs.ErrNotExist }

// SubjectError says that what a referrer belongs to is not in the layout.
type SubjectError struct{ Subject digest.Digest }

func (e *SubjectError) Error() string {
	return "refers to " + string(e.Subject) + ", which is not in the layout"
}

// Verify reads all of a layout: the graph of every entry has to be complete,
// every blob has to have its size and digest, and every referrer a subject. The
// error is for a verification that did not get to its end.
func Verify(ctx context.Context, l Layout, o VerifyOptions) (*Verification, error) {
	v := newVerifier(ctx, layoutSource{l}, l.Index(), o)
	if err := v.walk(); err != nil {
		return nil, err
	}
	others, err := v.hashLayout(l)
	if err != nil {
		return nil, err
	}
	return v.result(others)
}

// VerifyStream is Verify for an archive that comes once. It reads s to its end.
func VerifyStream(ctx context.Context, s *Stream, o VerifyOptions) (*Verification, error) {
	source := &streamSource{stream: s, received: make(map[digest.Digest]error)}
	v := newVerifier(ctx, source, nil, o)
	if err := source.hash(v.progress); err != nil {
		return nil, err
	}
	if err := s.Complete(); err != nil {
		return nil, err
	}
	v.index = s.Index() // the last one
	if err := v.walk(); err != nil {
		return nil, err
	}
	for _, n := range v.reached {
		if !n.read {
			v.blame(n.digest, n.size, source.check(n.descriptor()))
		}
	}
	return v.result(source.unreached(v.reached))
}

// hashLayout hashes what was reached and is not read yet, in the order that the
// layout is read fastest in, and counts what was not reached.
func (v *verifier) hashLayout(l Layout) (others int, err error) {
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
			if n := v.reached[d]; n == nil {
				left[d] = true
			} else if !n.read {
				hash(n)
			}
		}
	}
	for _, n := range v.reached {
		if !n.read { // the layout has it not, or cannot list
			hash(n)
		}
	}
	return len(left), jobs.Wait()
}
