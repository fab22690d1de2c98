package restore

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// checker is a Source that has the signatures of its roots, and needs no network to check them.
// A sync checks those of its plan instead.
type checker interface {
	// check returns the signers of a root that the policies accept; nil if it needs none. Its
	// error is errAwaited while blobs of signatures are still to come.
	check(ctx context.Context, t engine.Trust, root graph.Root) (signedBy []string, err error)
	// attached reports whether a root belongs to another one, which is checked itself.
	attached(root graph.Root) bool
}

// errAwaited says that a pipe has not brought a signature yet.
var errAwaited = errors.New("the signature is still to come")

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
	if layout, is := in.(store.Layout); is {
		c.layout = layout
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
		return checkAll(ctx, p, p.roots, c.trust, found)
	}
	s := newLayoutSource(c.layout, engine.Silent{}.Notice)
	s.local.Index(s.roots)
	return checkAll(ctx, s, s.roots, c.trust, found)
}

func checkAll(ctx context.Context, c checker, roots []graph.Root, t engine.Trust, found func(engine.ArtifactReport)) error {
	for _, root := range roots {
		if c.attached(root) {
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
func verdictOf(ctx context.Context, c checker, t engine.Trust, root graph.Root) ([]string, error) {
	switch {
	case root.Fault == nil:
	case root.Ref.Registry != "" && t.Policy(root.Ref.Name()) == nil:
		return nil, nil
	case root.IsSuspect():
		return nil, corrupt(root.Fault)
	default:
		return nil, root.Fault
	}
	signedBy, err := c.check(ctx, t, root)
	if err != nil {
		return nil, unverified(root.Name(), err)
	}
	return signedBy, nil
}

// unverified returns the error of an artifact that no policy accepts.
func unverified(name string, err error) error {
	return &engine.ArtifactError{Reference: name, Op: engine.OpVerify, Err: err}
}

func (s *layoutSource) attached(root graph.Root) bool {
	return s.local.HasOwner(root)
}

func (s *layoutSource) check(ctx context.Context, t engine.Trust, root graph.Root) ([]string, error) {
	return s.checkWith(ctx, t, root, func(ctx context.Context, blob ocispec.Descriptor) ([]byte, error) {
		return s.read(ctx, graph.Compact(blob), blob.Data)
	})
}

func (s *layoutSource) checkWith(ctx context.Context, t engine.Trust, root graph.Root, read engine.ReadBlob) ([]string, error) {
	return graph.CheckRoot(ctx, s.of(root.Repository()), root, t, read)
}

// read returns the bytes of a small blob; embedded are those that a descriptor has in itself.
func (s *layoutSource) read(_ context.Context, d graph.Descriptor, embedded []byte) ([]byte, error) {
	body, err := s.open(d)
	if errors.Is(err, fs.ErrNotExist) && len(embedded) > 0 {
		return embedded, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(body, d.Size+1))
	return data, errors.Join(err, body.Close())
}

// taken keeps the blobs of signatures that a pipe brings.
type taken struct {
	mu     sync.Mutex // guards what follows
	wanted map[digest.Digest]int64
	blobs  map[digest.Digest][]byte
	ended  bool // no more will come
}

func newTaken() *taken {
	return &taken{wanted: make(map[digest.Digest]int64), blobs: make(map[digest.Digest][]byte)}
}

// want notes that a blob is needed when it comes. It returns the blob if it came.
func (t *taken) want(d graph.Descriptor) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if data, came := t.blobs[d.Digest]; came {
		return data, nil
	}
	if t.ended {
		return nil, &engine.MissingBlobError{Blob: d.Digest.String()}
	}
	t.wanted[d.Digest] = d.Size
	return nil, errAwaited
}

// take reads a blob of a signature from the pipe; nil if it is none.
func (t *taken) take(d digest.Digest, size int64, from io.Reader) ([]byte, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if want, ok := t.wanted[d]; !ok || want != size || t.blobs[d] != nil {
		return nil, nil
	}
	if err := bounds.Take(size); err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(from, data); err != nil {
		return nil, err
	}
	t.blobs[d] = data
	return data, nil
}

func (t *taken) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}

// check returns errAwaited until the pipe has brought all signatures of a root, so that the
// signers do not depend on the order of the blobs.
func (p *pipe) check(ctx context.Context, t engine.Trust, root graph.Root) ([]string, error) {
	waits := false
	signedBy, err := p.checkWith(ctx, t, root, func(ctx context.Context, blob ocispec.Descriptor) ([]byte, error) {
		d := graph.Compact(blob)
		if int64(len(blob.Data)) == blob.Size {
			return blob.Data, nil
		}
		if p.bases != nil {
			if data, err := p.bases.read(ctx, d, nil); err == nil {
				return data, nil
			}
		}
		data, err := p.taken.want(d)
		waits = waits || err == errAwaited
		if left := p.Left(d); left != nil && err != nil && err != errAwaited {
			return nil, left
		}
		return data, err
	})
	if waits {
		return nil, errAwaited
	}
	return signedBy, err
}

// check has the source check the root of a delivery. It reports whether the verdict has to wait.
func (r *run) check(ctx context.Context, c checker, d *delivery, verdicts map[listedKey]verdict) (waits bool) {
	v, known := verdicts[d.entry]
	if !known {
		v.signedBy, v.err = c.check(ctx, r.Trust, *d.origin)
		verdicts[d.entry] = v
	}
	switch {
	case v.err == errAwaited:
		return true
	case v.err != nil:
		d.fault = unverified(d.name, v.err)
	default:
		d.signedBy = v.signedBy
	}
	return false
}

// verdict is the decision about the signatures of a root.
type verdict struct {
	signedBy []string
	err      error
}

// checkAll checks the signatures of all deliveries, as far as they are there.
func (r *run) checkAll(ctx context.Context) error {
	c, is := r.source.(checker)
	if !is || r.Trust == nil {
		return nil
	}
	verdicts := make(map[listedKey]verdict)
	for _, d := range r.all {
		if d.fault == nil {
			d.unjudged = r.check(ctx, c, d, verdicts)
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return nil
}

// conclude checks the signatures that a pipe has brought, and continues the deliveries that
// waited for them.
func (r *run) conclude(ctx context.Context) error {
	waiting := slices.DeleteFunc(slices.Clone(r.all), func(d *delivery) bool { return !d.unjudged })
	if len(waiting) == 0 {
		return nil
	}
	c, verdicts := r.source.(checker), make(map[listedKey]verdict)
	for _, d := range waiting {
		if r.check(ctx, c, d, verdicts) {
			d.fault = unverified(d.name, &engine.UnsignedError{})
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	r.mu.Lock()
	started := r.started
	for _, d := range waiting {
		d.unjudged = false
	}
	r.mu.Unlock()
	if !started { // the source is going to be revised
		return nil
	}
	return r.start()
}

// checkDistant checks the artifacts of a sync in a dry run. A sync does that when it walks them.
func (r *run) checkDistant(ctx context.Context) error {
	far, is := r.source.(Distant)
	if !is {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * r.Concurrency)
	for _, d := range r.all {
		if d.fault != nil || !d.scope.HasPolicy() {
			continue
		}
		group.Go(func() error {
			v, err := far.Walk(ctx, d.source, d.root, d.scope)
			if err != nil {
				err = far.Fault(err)
			} else if d.signedBy, err = far.SignedBy(ctx, v, d.scope); err != nil {
				err = unverified(d.name, err)
			}
			d.fault = err
			return context.Cause(ctx)
		})
	}
	return group.Wait()
}
