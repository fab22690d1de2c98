package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// expand calls found for each artifact of the selections, in their order. The
// tags of the repositories are listed side by side, ahead of their turn.
func (p *planner) expand(ctx context.Context, found func(*artifact) error) error {
	selections := p.sources.repositories(ctx, p.selections)
	expansions := p.sources.expandAll(ctx, selections)
	seen := make(map[string]*artifact)
	for _, s := range selections {
		e := <-expansions
		if err := context.Cause(ctx); err != nil {
			return err
		}
		p.progress.Listed(len(e.refs) + len(e.faulty))
		if e.absent != "" {
			p.absent = append(p.absent, e.absent)
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
	p.listed = true
	return nil
}

// artifactMemory is the memory that the plan takes for an artifact before its root is known.
const artifactMemory = 350

func (p *planner) expandChunk(refs []config.Reference, s config.Selection, e expansion, seen map[string]*artifact, found func(*artifact) error) error {
	var chunk []*artifact
	scope := scopeOf(s) // one for all: 100,000 of them are 60 MB
	for _, ref := range refs {
		if p.only != nil && e.err == nil && s.Layout != "" && !p.only(s.Layout, ref.EntryName()) {
			continue
		}
		a := newArtifact(ref, s, e, scope)
		key := a.name
		if e.err != nil {
			key += "\x00" + s.Layout // layouts that cannot be read have no names
		}
		if other := seen[key]; other != nil && other.ref.Digest == ref.Digest {
			if e.err == nil {
				p.tellTwice(other, a)
			}
			continue
		}
		seen[key] = a
		chunk = append(chunk, a)
	}
	if err := bounds.Take(artifactMemory * int64(len(chunk))); err != nil {
		return &ArtifactError{Reference: s.Reference.Name(), Op: "list tags", Err: err}
	}
	together := newSiblings(len(chunk))
	for _, a := range chunk {
		a.number, a.together = len(p.all), together
		p.all = append(p.all, a)
	}
	for _, a := range chunk {
		if err := found(a); err != nil {
			return err
		}
	}
	return nil
}

// expandFaulty makes artifacts that fail of what a layout cannot give.
func (p *planner) expandFaulty(s config.Selection, e expansion, seen map[string]*artifact, found func(*artifact) error) error {
	for _, r := range e.faulty {
		a := newArtifact(r.ref, s, e, scopeOf(s))
		if r.ref.Registry == "" {
			a.name = r.name()
		}
		key := a.name + "\x00" + s.Layout
		if seen[key] != nil || p.only != nil && !p.only(s.Layout, a.name) {
			continue
		}
		seen[key] = a
		a.number, a.err, a.together = len(p.all), r.fault, newSiblings(1)
		p.all = append(p.all, a)
		if err := found(a); err != nil {
			return err
		}
	}
	return nil
}

// tellTwice says which selection holds for an artifact that is selected twice, and not
// in the same way.
func (p *planner) tellTwice(first, second *artifact) {
	if first.scope.key != second.scope.key {
		p.progress.Notice(fmt.Sprintf("%s is selected twice with different platforms or referrers; using %s, ignoring %s", first.name, first.from, second.from))
	}
}

func newArtifact(ref config.Reference, s config.Selection, e expansion, scope *scope) *artifact {
	name := ref.EntryName()
	if ref.IsRepository() { // it cannot be listed
		name = strings.TrimSuffix(ref.Name(), "/")
	}
	return &artifact{ref: ref, name: name, layout: s.Layout, from: s.Origin, origin: e.origin, scope: scope,
		err: e.err, resolved: make(chan struct{})}
}
