package graph

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// trial judges the signatures of one manifest, once.
type trial struct {
	candidates []engine.Candidate // guarded by graph.mu; nil once they are judged
	memory     int64              // of the candidates, in bytes; guarded by graph.mu
	once       sync.Once          // guards what follows: it is written there
	signedBy   []string
	err        error
}

// addCandidate notes a manifest that may be a signature of v, and reports whether it is one
// that the policy reads.
func (w *walk) addCandidate(ctx context.Context, v *Visit, n *Node) (bool, error) {
	if w.scope.Policy == nil {
		return false, nil
	}
	ctx, done := w.lane.Begin(ctx)
	defer done()
	data, err := w.rawManifest(ctx, n)
	if err == nil {
		err = bounds.EnterDocument(ctx, data)
	}
	if err != nil {
		return false, err
	}
	c, ok := w.scope.Policy.Candidate(n.OCI(), data)
	if ok {
		w.mu.Lock()
		err = v.trial.add(c)
		w.mu.Unlock()
	}
	return ok && err == nil, err
}

// maxCandidates bounds the memory, in bytes, that the candidates of one manifest take until they
// are judged: ten thousand of them, with annotations, might have 40 GB.
const maxCandidates = 16 << 20

// add notes a candidate; graph.mu is held.
func (t *trial) add(c engine.Candidate) error {
	n := bounds.DescriptorMemory(&c.Manifest)
	for _, blob := range c.Blobs {
		n += bounds.DescriptorMemory(&blob)
	}
	if t.memory+n > maxCandidates {
		return &bounds.Error{What: "bytes of signatures of one manifest:", Most: maxCandidates}
	}
	if err := bounds.Take(n); err != nil {
		return err
	}
	t.candidates, t.memory = append(t.candidates, c), t.memory+n
	return nil
}

// judged returns the candidates, and frees their memory; graph.mu is held.
func (t *trial) judged() []engine.Candidate {
	all := t.candidates
	bounds.Give(t.memory)
	t.candidates, t.memory = nil, 0
	return all
}

// rawManifest returns the bytes of a manifest that was read, in the lane of ctx.
func (w *walk) rawManifest(ctx context.Context, n *Node) ([]byte, error) {
	w.mu.Lock()
	raw := n.raw
	w.mu.Unlock()
	if raw != nil {
		return *raw, nil
	}
	data, _, err := w.bytes(ctx, w.origin, rootStop(n.OCI(), 0))
	return data, err
}

// keepRaw keeps the bytes of a manifest that may be a signature.
func (g *Graph) keepRaw(n *Node, data []byte) {
	if g.keepsSignature(int64(len(data))) {
		n.raw = &data
	}
}

// maxSignatures bounds the bytes of manifests and blobs of signatures that are kept in memory,
// so that they are not fetched twice: enough for 2,000 signatures with certificates.
const maxSignatures = 16 << 20

// keepsSignature takes memory for a part of a signature, if there is room.
func (g *Graph) keepsSignature(size int64) bool {
	if g.signatures.Add(size) > maxSignatures {
		g.signatures.Add(-size)
		return false
	}
	return true
}

// SignedBy returns the signers of an artifact, sorted, as the policy of its scope demands them.
// Its error says why the artifact is not signed by any of them.
func (g *Graph) SignedBy(ctx context.Context, s *scope.Scope, root *Visit) ([]string, error) {
	if s.Owner != nil {
		return g.checkOwner(ctx, s, root.Origin)
	}
	signedBy, err := g.judge(ctx, s, root)
	if s.Policy.Signed() != engine.SignedImages {
		return signedBy, err
	}
	signedBy = slices.Clone(signedBy)
	for _, image := range root.images() { // all of them: a pipe learns which signatures are needed
		more, refusal := g.judge(ctx, s, image)
		if refusal != nil && err == nil {
			err = fmt.Errorf("the image %s: %w", image.Node.Digest, refusal)
		}
		signedBy = append(signedBy, more...)
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(signedBy)
	return slices.Compact(signedBy), nil
}

// images lists the images below an index that are selected, without attestations.
func (v *Visit) images() []*Visit {
	var found []*Visit
	seen := make(map[*Visit]bool)
	var walk func(*Visit)
	walk = func(v *Visit) {
		for _, child := range v.children {
			if seen[child] || v.callsAttestation(child) {
				continue
			}
			seen[child] = true
			if child.Node.Index {
				walk(child)
				continue
			}
			found = append(found, child)
		}
	}
	walk(v)
	return found
}

// callsAttestation reports whether the index v names a child as an attestation of BuildKit.
func (v *Visit) callsAttestation(child *Visit) bool {
	return slices.ContainsFunc(v.Node.Children, func(c ocispec.Descriptor) bool {
		return c.Digest == child.Node.Digest && scope.IsAttestation(c)
	})
}

// judge has the policy decide about one manifest.
func (g *Graph) judge(ctx context.Context, s *scope.Scope, v *Visit) ([]string, error) {
	t := v.trial
	t.once.Do(func() {
		g.mu.Lock()
		candidates := t.judged()
		g.mu.Unlock()
		subject := engine.Subject{Descriptor: v.Node.OCI(), Repository: s.Repository}
		t.signedBy, t.err = s.Policy.Verify(ctx, subject, candidates, func(ctx context.Context, blob ocispec.Descriptor) ([]byte, error) {
			return g.readSignature(ctx, v.Origin, blob)
		})
		if t.err != nil && v.Missing != nil { // it may be the signature
			t.err = errors.Join(t.err, v.Missing)
		}
	})
	return t.signedBy, t.err
}

// readSignature reads a small blob, and keeps it for the copy.
func (g *Graph) readSignature(ctx context.Context, o origin.Origin, desc ocispec.Descriptor) ([]byte, error) {
	if g.Signature != nil {
		return g.Signature(ctx, desc)
	}
	b := g.Find(content.Of(desc))
	if b == nil {
		b = g.Blob(desc, o)
	}
	g.mu.Lock()
	b.isSignature = true
	g.mu.Unlock()
	if c, ok := g.Cache.(BlobCache); ok {
		if data := c.Blob(desc); data != nil {
			return data, nil
		}
	}
	for attempt := 0; ; attempt++ {
		from := g.OriginOf(b, attempt)
		data, err := readBlob(ctx, from, b.OCI())
		if err == nil {
			g.keepSignature(b, from, data)
			return data, nil
		}
		if ctx.Err() != nil || !g.WorthRetry(b, attempt, err) {
			return nil, err
		}
	}
}

// keepSignature keeps a blob that came over the network until the copy has it.
func (g *Graph) keepSignature(b *Blob, from origin.Origin, data []byte) {
	if origin.OnDisk(from) {
		return
	}
	g.Moved(b.Size)
	if g.keepsSignature(b.Size) {
		g.mu.Lock()
		b.addOrigin(&inline{Origin: from, data: data, kept: true})
		g.mu.Unlock()
	}
}

// Release frees the bytes of a signature that the output has.
func (g *Graph) Release(b *Blob) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := b.inline(); i != nil && i.kept {
		b.Origins = slices.DeleteFunc(b.Origins, func(o origin.Origin) bool { return o == origin.Origin(i) })
		g.signatures.Add(-b.Size)
	}
}

// IsSignature reports whether a blob was read as a signature.
func (g *Graph) IsSignature(d content.Descriptor) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.blobs[d.Digest].sized(d.Size)
	return b != nil && b.isSignature
}

// readBlob reads a blob whole, and verifies it.
func readBlob(ctx context.Context, from origin.Origin, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size == 0 {
		return nil, content.Verify(desc, nil)
	}
	body, err := from.Blob(ctx, desc, 0, desc.Size)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(body, desc.Size+1))
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	return data, content.Verify(desc, data)
}

// BlobCache is a Cache that reads blobs without a request to a registry.
type BlobCache interface {
	// Blob returns a small blob that the output has, nil if it has not.
	Blob(desc ocispec.Descriptor) []byte
}

// Blob reads a blob that the layout has whole.
func (c LayoutCache) Blob(desc ocispec.Descriptor) []byte {
	if size, err := c.Stat(desc.Digest); err != nil || size != desc.Size {
		return nil
	}
	body, err := c.Open(desc.Digest)
	if err != nil {
		return nil
	}
	data := make([]byte, desc.Size)
	_, err = io.ReadFull(body, data)
	if err = errors.Join(err, body.Close()); err != nil || content.Verify(desc, data) != nil {
		return nil
	}
	return data
}
