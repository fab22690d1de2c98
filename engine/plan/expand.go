package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// expand calls found for each artifact of the selections, in their order. The
// tags of the repositories are listed side by side, ahead of their turn.
func (p *Planner) expand(ctx context.Context, found func(*Artifact) error) error {
	selections := p.inShard(p.sources.Repositories(ctx, p.selections))
	expansions := p.sources.expandAll(ctx, selections)
	seen := make(map[string]*Artifact)
	for _, s := range selections {
		e := <-expansions
		if err := context.Cause(ctx); err != nil {
			return err
		}
		p.leaveOut(s, &e)
		p.progress.Listed(len(e.refs) + len(e.faulty))
		if e.absent != "" {
			p.Absent = append(p.Absent, e.absent)
			p.progress.Notice(e.absent + ": repository not found; skipped (optional)")
		}
		for refs := range slices.Chunk(e.refs, maxSiblings) {
			if err := p.expandChunk(refs, s, e, seen, found); err != nil {
				return err
			}
		}
		if err := p.expandFaulty(s, e, seen, found); err != nil {
			return err
		}
	}
	p.Listed = true
	return nil
}

// artifactMemory is the memory, in bytes, of an artifact before its root is known.
const artifactMemory = 350

func (p *Planner) expandChunk(refs []config.Reference, s config.Selection, e expansion, seen map[string]*Artifact, found func(*Artifact) error) error {
	var chunk []*Artifact
	scopes := p.scopesOf(s)
	for _, ref := range refs {
		if p.only != nil && e.err == nil && s.Layout != "" && !p.only(s.Layout, ref.EntryName()) {
			continue
		}
		a := newArtifact(ref, s, e, scopes.of(ref))
		if a.Err == nil {
			a.Err = scopes.denial(ref)
		}
		key := a.Name
		if e.err != nil {
			key += "\x00" + s.Layout // layouts that cannot be read have no names
		}
		if other := seen[key]; other != nil && other.Ref.Digest == ref.Digest {
			if e.err == nil {
				p.tellTwice(other, a)
			}
			continue
		}
		seen[key] = a
		chunk = append(chunk, a)
	}
	if err := bounds.Take(artifactMemory * int64(len(chunk))); err != nil {
		return &engine.ArtifactError{Reference: s.Reference.Name(), Op: "list tags", Err: err}
	}
	together := newSiblings(len(chunk))
	for _, a := range chunk {
		a.Number, a.together = len(p.All), together
		p.All = append(p.All, a)
	}
	for _, a := range chunk {
		if err := found(a); err != nil {
			return err
		}
	}
	return nil
}

// expandFaulty adds an artifact that fails for each faulty root of a layout.
func (p *Planner) expandFaulty(s config.Selection, e expansion, seen map[string]*Artifact, found func(*Artifact) error) error {
	for _, r := range e.faulty {
		a := newArtifact(r.Ref, s, e, p.scopesOf(s).of(r.Ref))
		if r.Ref.Registry == "" {
			a.Name = r.Name()
		}
		key := a.Name + "\x00" + s.Layout
		if seen[key] != nil || p.only != nil && !p.only(s.Layout, a.Name) {
			continue
		}
		seen[key] = a
		a.Number, a.Err, a.together = len(p.All), r.Fault, newSiblings(1)
		p.All = append(p.All, a)
		if err := found(a); err != nil {
			return err
		}
	}
	return nil
}

// tellTwice tells which selection is used for an artifact that is selected twice in different
// ways.
func (p *Planner) tellTwice(first, second *Artifact) {
	if first.Scope.Key != second.Scope.Key {
		p.progress.Notice(fmt.Sprintf("%s is selected twice with different platforms or referrers; using %s, ignoring %s", first.Name, first.from, second.from))
	}
}

func newArtifact(ref config.Reference, s config.Selection, e expansion, selected *scope.Scope) *Artifact {
	name := ref.EntryName()
	if ref.IsRepository() { // it cannot be listed
		name = strings.TrimSuffix(ref.Name(), "/")
	}
	a := &Artifact{Ref: ref, Name: name, Layout: s.Layout, from: s.Origin, From: s.From, judged: e.judged, origin: e.origin, Scope: selected,
		Err: e.err, resolved: make(chan struct{})}
	if s.Chart != nil {
		a.few().repo = s.Chart.Repository
	}
	return a
}
