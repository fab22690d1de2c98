package cli

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
	"github.com/oras-mirror/oras-mirror/store"
)

// resolver asks registries what a side has.
type resolver struct {
	client      *registry.Client
	concurrency int
	progress    engine.Progress
	ofWritten   bool // also what a target that rewrites indexes gets
	ofBoth      bool // also the digests in another algorithm
}

// resolve finds the names of a side and, if it is compared with a target that
// rewrites indexes, what that gets of it.
func (r *resolver) resolve(ctx context.Context, s *side, rewritten bool) error {
	if s.selections == nil {
		if !rewritten {
			return nil
		}
		return r.resolveWritten(ctx, s)
	}
	r.ofWritten = rewritten
	all, err := r.ask(ctx, s.selections)
	if ref, bare := config.ParseReference(s.base); err != nil && bare == nil {
		// Public registries refuse their catalogs: it may be a repository.
		one, refusal := r.ask(ctx, []config.Selection{{Reference: ref, Origin: s.base}})
		if refusal == nil {
			all, err = one, nil
		}
	}
	var unknown *net.DNSError
	if errors.As(err, &unknown) && unknown.IsNotFound && s.base != "" {
		return &sideError{s.base, err} // a file whose name was misspelt
	}
	for _, one := range all {
		s.names = append(s.names, inventory.Name{Reference: one.Reference.EntryName(), Digest: one.Digest, Other: one.Other})
	}
	s.noteWritten(all)
	return err
}

// resolveWritten finds what becomes of the names of a layout or a lock.
func (r *resolver) resolveWritten(ctx context.Context, s *side) error {
	if s.layout != "" {
		in, err := store.OpenLayout(s.layout, store.OpenOptions{})
		if err != nil {
			return err
		}
		s.written, err = restore.Written(ctx, in)
		return errors.Join(err, in.Close())
	}
	if s.lock == nil {
		return nil
	}
	sparse := slices.DeleteFunc(s.lock.Selections(""), func(one config.Selection) bool { return len(one.Platforms) == 0 })
	r.ofWritten = true
	all, err := r.ask(ctx, sparse)
	s.noteWritten(all)
	return err
}

func (s *side) noteWritten(all []plan.Resolved) {
	for _, one := range all {
		if one.Written != "" && one.Written != one.Digest {
			if s.written == nil {
				s.written = make(map[string]digest.Digest)
			}
			s.written[one.Reference.EntryName()] = one.Written
		}
	}
}

// ask resolves selections, all or nothing.
func (r *resolver) ask(ctx context.Context, selections []config.Selection) ([]plan.Resolved, error) {
	resolve := plan.Resolve
	if r.ofWritten {
		resolve = plan.ResolveWritten
	} else if r.ofBoth {
		resolve = plan.ResolveBoth
	}
	all, err := resolve(ctx, r.client, selections, engine.BackupOptions{Concurrency: r.concurrency, Progress: r.progress})
	for _, one := range all {
		err = errors.Join(err, one.Err)
	}
	foreign := func(one plan.Resolved) bool { return one.Err == nil && one.Digest.Algorithm() != digest.Canonical }
	if err == nil && !r.ofBoth && !r.ofWritten && slices.ContainsFunc(all, foreign) {
		r.ofBoth = true
		return r.ask(ctx, selections)
	}
	return all, err
}
