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
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/inventory"
)

// resolver resolves the names of operands at registries.
type resolver struct {
	client      *registry.Client
	open        opener
	concurrency int
	progress    engine.Progress
	quarantine  *engine.Quarantine // of the operand that is resolved
	ofWritten   bool               // also the digests of rewritten indexes
	ofBoth      bool               // also the digests by another algorithm
}

// resolve finds the names of an operand and, if a restore to the other one rewrites
// indexes, the digests of those.
func (r *resolver) resolve(ctx context.Context, o *operand, rewritten bool) error {
	if o.selections == nil {
		if !rewritten {
			return nil
		}
		return r.resolveWritten(ctx, o)
	}
	r.ofWritten, r.quarantine = rewritten, o.quarantine
	all, err := r.ask(ctx, o.selections)
	if ref, bare := config.ParseReference(o.base); err != nil && bare == nil {
		// Public registries do not list their catalogs: it may be a repository.
		one, refusal := r.ask(ctx, []config.Selection{{Reference: ref, Origin: o.base}})
		if refusal == nil {
			all, err = one, nil
		}
	}
	var unknown *net.DNSError
	if errors.As(err, &unknown) && unknown.IsNotFound && o.base != "" {
		return &operandError{o.base, err} // perhaps a misspelt file name
	}
	for _, one := range all {
		o.names = append(o.names, inventory.Name{Reference: one.Reference.EntryName(), Digest: one.Digest, Other: one.Other})
	}
	o.noteWritten(all)
	return err
}

// resolveWritten finds the rewritten indexes of a layout or a lock.
func (r *resolver) resolveWritten(ctx context.Context, o *operand) error {
	if o.layout != "" {
		in, err := r.open(o.layout)
		if err != nil {
			return err
		}
		o.written, err = source.Rewritten(ctx, in)
		return errors.Join(err, in.Close())
	}
	if o.lock == nil {
		return nil
	}
	sparse := slices.DeleteFunc(o.lock.Selections(""), func(one config.Selection) bool { return len(one.Platforms) == 0 })
	r.ofWritten = true
	all, err := r.ask(ctx, sparse)
	o.noteWritten(all)
	return err
}

// noteWritten records the digests of rewritten indexes.
func (o *operand) noteWritten(all []plan.Resolved) {
	for _, one := range all {
		if one.Written != "" && one.Written != one.Digest {
			if o.written == nil {
				o.written = make(map[string]digest.Digest)
			}
			o.written[one.Reference.EntryName()] = one.Written
		}
	}
}

// ask resolves selections. It fails if one of them does.
func (r *resolver) ask(ctx context.Context, selections []config.Selection) ([]plan.Resolved, error) {
	resolve := plan.Resolve
	if r.ofWritten {
		resolve = plan.ResolveWritten
	} else if r.ofBoth {
		resolve = plan.ResolveBoth
	}
	all, err := resolve(ctx, r.client, selections, engine.BackupOptions{Concurrency: r.concurrency, Progress: r.progress, Quarantine: r.quarantine})
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
