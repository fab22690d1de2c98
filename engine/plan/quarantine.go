package plan

import (
	"cmp"
	"context"
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

// quarantine keeps tags out that are too new. It is safe for concurrent use.
type quarantine struct {
	today   string
	locked  map[config.Reference]digest.Digest    // by tag
	pending map[config.Reference]lockfile.Pending // by tag

	mu      sync.Mutex // guards waiting
	waiting []engine.Waiting
}

// newQuarantine returns nil for nil: then a minAge holds for no selection.
func newQuarantine(q *engine.Quarantine) *quarantine {
	if q == nil {
		return nil
	}
	made := &quarantine{today: q.Today, locked: make(map[config.Reference]digest.Digest), pending: make(map[config.Reference]lockfile.Pending)}
	for _, a := range q.Before.Artifacts {
		ref := a.Reference
		ref.Digest = ""
		made.locked[ref] = a.Digest
	}
	for _, p := range q.Before.Pending {
		made.pending[p.Reference] = p
	}
	return made
}

// admission chooses the tags of one repository.
type admission struct {
	*quarantine
	origin     origin.Origin
	repository config.Reference
	age        filter.Age
	digests    map[string]digest.Digest // that the registry has now, by tag
}

// admit returns the references that a selection may have, each with its digest, so that it stays
// the one that was judged. all are the tags of the repository, and wanted those that would be
// selected if none were too new. A locked tag that has moved keeps its locked digest until the
// other one is old enough.
func (q *quarantine) admit(ctx context.Context, from origin.Origin, s config.Selection, all, wanted []string) ([]config.Reference, error) {
	a := &admission{quarantine: q, origin: from, repository: s.Reference, age: s.Tags.MinAge, digests: make(map[string]digest.Digest)}
	var failed error
	chosen, err := s.Tags.SelectAmong(all, func(tag string) bool {
		may, err := a.may(ctx, tag)
		if failed == nil {
			failed = err
		}
		return may
	})
	if failed != nil || err != nil {
		return nil, cmp.Or(failed, err)
	}
	var refs []config.Reference
	admitted := make(map[string]bool, len(chosen))
	for _, tag := range chosen {
		admitted[tag] = true
		ref, err := a.admitted(ctx, tag)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	for _, tag := range wanted {
		if admitted[tag] {
			continue
		}
		if err := a.wait(ctx, tag); err != nil {
			return nil, err
		}
	}
	return refs, nil
}

func (a *admission) reference(tag string) config.Reference {
	return config.Reference{Registry: a.repository.Registry, Repository: a.repository.Repository, Tag: tag}
}

// may reports whether a tag may be selected: it is locked, or its digest is old enough.
func (a *admission) may(ctx context.Context, tag string) (bool, error) {
	if a.locked[a.reference(tag)] != "" {
		return true, nil
	}
	return a.isOld(ctx, tag)
}

// isOld reports whether the digest of a tag is pending and old enough. Only then it costs a
// request.
func (a *admission) isOld(ctx context.Context, tag string) (bool, error) {
	p, ok := a.pending[a.reference(tag)]
	if !ok || a.today < p.Until(a.age) {
		return false, nil
	}
	now, err := a.digest(ctx, tag)
	return now == p.Digest && err == nil, err
}

// admitted returns the reference of a tag that may be selected.
func (a *admission) admitted(ctx context.Context, tag string) (config.Reference, error) {
	ref := a.reference(tag)
	pinned := a.locked[ref]
	now, err := a.digest(ctx, tag)
	if err != nil {
		return ref, err
	}
	isOld, err := a.isOld(ctx, tag)
	if err == nil && !isOld && pinned != now {
		err = a.wait(ctx, tag)
	}
	if isOld || pinned == "" {
		pinned = now
	}
	ref.Digest = pinned
	return ref, err
}

// wait records that a tag waits, from the day on which its digest was first seen.
func (a *admission) wait(ctx context.Context, tag string) error {
	ref := a.reference(tag)
	now, err := a.digest(ctx, tag)
	if err != nil {
		return err
	}
	p := a.pending[ref]
	if p.Digest != now {
		p = lockfile.Pending{Reference: ref, Digest: now, FirstSeen: a.today}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = append(a.waiting, engine.Waiting{Pending: p, Until: p.Until(a.age)})
	return nil
}

// digest returns the digest that a tag has now. It asks for each tag once.
func (a *admission) digest(ctx context.Context, tag string) (digest.Digest, error) {
	if d := a.digests[tag]; d != "" {
		return d, nil
	}
	desc, err := a.origin.Resolve(ctx, a.reference(tag))
	if err != nil {
		return "", artifactError(a.reference(tag), "resolve", err)
	}
	a.digests[tag] = desc.Digest
	return desc.Digest, nil
}

// Waiting lists the tags that are too new, by reference.
func (p *Planner) Waiting() []engine.Waiting {
	q := p.sources.quarantine
	if q == nil {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return engine.Unite(q.waiting)
}
