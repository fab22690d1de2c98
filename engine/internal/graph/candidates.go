package graph

import (
	"context"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// addCandidate notes a manifest that may be a signature of v, and reports whether it is one
// that the policy reads; none does without a policy.
func (g *Graph) addCandidate(ctx context.Context, p engine.Policy, v *Visit, n *Node) (bool, error) {
	if p == nil {
		return false, nil
	}
	ctx, done := g.lane.Begin(ctx)
	defer done()
	data, err := g.rawManifest(ctx, v.Origin, n)
	if err == nil {
		err = bounds.EnterDocument(ctx, data)
	}
	if err != nil {
		return false, err
	}
	c, ok := p.Candidate(n.OCI(), data)
	if ok {
		g.mu.Lock()
		err = v.trial.add(c)
		g.mu.Unlock()
	}
	return ok && err == nil, err
}

// rawManifest returns the bytes of a manifest that was read, in the lane of ctx.
func (g *Graph) rawManifest(ctx context.Context, o origin.Origin, n *Node) ([]byte, error) {
	g.mu.Lock()
	raw := n.raw
	g.mu.Unlock()
	if raw != nil {
		return *raw, nil
	}
	data, _, err := g.bytes(ctx, o, rootStop(n.OCI(), 0))
	return data, err
}
