package source

import (
	"context"
	"io"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/store"
)

// SignatureCheck checks the signatures of the artifacts in an input without a network.
type SignatureCheck struct {
	trust  engine.Trust
	layout store.Layout  // nil for a pipe
	stream *store.Stream // nil for a layout
	taken  *taken
}

// NewSignatureCheck returns a check of an input. If that is a pipe, Take has to be offered its
// blobs before Each is called.
func NewSignatureCheck(ctx context.Context, in store.Input, t engine.Trust) (*SignatureCheck, error) {
	c := &SignatureCheck{trust: t, taken: newTaken()}
	if l, is := in.(store.Layout); is {
		c.layout = l
		return c, nil
	}
	c.stream, _ = in.(*store.Stream)
	err := c.each(ctx, func(engine.ArtifactReport) {}) // for the signatures that it asks for
	return c, err
}

// Take reads a blob of a pipe if it is a part of a signature; nil if it is not.
func (c *SignatureCheck) Take(d digest.Digest, size int64, from io.Reader) ([]byte, error) {
	return c.taken.take(d, size, from)
}

// Each calls found with a report of each artifact that a policy asks about.
func (c *SignatureCheck) Each(ctx context.Context, found func(engine.ArtifactReport)) error {
	c.taken.end()
	return c.each(ctx, found)
}

func (c *SignatureCheck) each(ctx context.Context, found func(engine.ArtifactReport)) error {
	if c.stream != nil {
		p := newPipe(c.stream, engine.RestoreOptions{Progress: engine.Silent{}, Trust: c.trust}, nil, c.taken)
		return checkAll(ctx, p, p.layout, c.trust, found)
	}
	s := newLayout(c.layout, engine.Silent{}.Notice)
	s.local.Index(s.roots)
	return checkAll(ctx, s, s, c.trust, found)
}

// checkAll has a checker check the roots of a layout.
func checkAll(ctx context.Context, c Checker, s *layout, t engine.Trust, found func(engine.ArtifactReport)) error {
	for _, root := range s.roots {
		if s.local.HasOwner(root) {
			continue // the artifact that it belongs to is reported by itself
		}
		signedBy, err := verdictOf(ctx, c, t, root)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil || signedBy != nil {
			found(engine.ArtifactReport{Reference: root.Name(), Digest: root.Entry.Digest, SignedBy: signedBy, Err: err})
		}
	}
	return nil
}

// verdictOf returns the signers of a root that the policies accept; nil if it needs none. A root
// with a fault is not accepted, unless it is known that it needs no signature: one without a
// repository could be anything.
func verdictOf(ctx context.Context, c Checker, t engine.Trust, root origin.Root) ([]string, error) {
	switch {
	case root.Fault == nil:
	case root.Ref.Registry != "" && t.Policy(root.Ref.Name()) == nil:
		return nil, nil
	case root.IsSuspect():
		return nil, Corrupt(root.Fault)
	default:
		return nil, root.Fault
	}
	signedBy, err := c.Check(ctx, t, root)
	if err != nil {
		return nil, &engine.ArtifactError{Reference: root.Name(), Op: engine.OpVerify, Err: err}
	}
	return signedBy, nil
}
