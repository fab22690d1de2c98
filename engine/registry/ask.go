package registry

import (
	"context"
	"errors"
	"fmt"

	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// ask calls one for the endpoints in turn, from first on, until one succeeds, and returns that
// endpoint. A mirror with another endpoint behind it is asked briefly: it is not worth a wait. If
// all fail, those whose faults may be transient are asked once more, with all retries, unless
// the repository itself has answered that it has no such thing.
func (e *Endpoints) ask(ctx context.Context, first int, one func(context.Context, *Repository) error) (at int, err error) {
	if len(e.all) == 1 {
		if err = one(ctx, e.all[0]); err != nil && !e.asksItself() && !isFinal(ctx, err) {
			err = e.atMirror(0, err)
		}
		return 0, err
	}
	failed := make([]error, len(e.all))
	for i := range e.all {
		at := (first + i) % len(e.all)
		if i < len(e.all)-1 && e.Mirror(at) != "" {
			failed[at] = e.askBriefly(ctx, e.all[at], one)
		} else {
			failed[at] = one(ctx, e.all[at])
		}
		if isFinal(ctx, failed[at]) {
			return at, failed[at]
		}
	}
	last := (first + len(e.all) - 1) % len(e.all)
	for at, err := range failed {
		if at == last || !transport.IsTransient(err) || e.asksItself() && isNotThere(failed[len(failed)-1]) {
			continue
		}
		if failed[at] = one(ctx, e.all[at]); isFinal(ctx, failed[at]) {
			return at, failed[at]
		}
	}
	return 0, e.verdict(failed)
}

// askBriefly asks an endpoint that has another behind it, unless it is passed over.
func (e *Endpoints) askBriefly(ctx context.Context, r *Repository, one func(context.Context, *Repository) error) error {
	if err := r.host.PassedOver(); err != nil {
		return err
	}
	err := one(transport.Brief(ctx), r)
	if !isFinal(ctx, err) || err == nil {
		if r.host.NoteBrief(err) {
			e.notice(fmt.Sprintf("the mirror %s failed, and others are asked instead: %s", r.host.Name(), err))
		}
	}
	return err
}

// isFinal reports whether no other endpoint is asked: after a success, if the run ends, if the
// fault is not the endpoint's, and if the caller has to ask in another way.
func isFinal(ctx context.Context, err error) bool {
	return err == nil || ctx.Err() != nil || errors.Is(err, transport.ErrNoRange) || isType[*bounds.Error](err) || isType[*bounds.MemoryError](err) || transport.TooManyFiles(err)
}

// isNotThere reports whether an endpoint has answered that it does not have something.
func isNotThere(err error) bool {
	return errors.Is(err, errdef.ErrNotFound) || errors.Is(err, errNoBlob)
}

// verdict returns the error of a request that failed at all endpoints.
func (e *Endpoints) verdict(failed []error) error {
	if e.asksItself() {
		last := len(failed) - 1
		return e.withFaults(failed[last], failed[:last])
	}
	for i, err := range failed {
		if !isNotThere(err) {
			return e.atMirror(i, err)
		}
	}
	return e.atMirror(0, failed[0])
}

// withFaults adds to the error of the repository itself those of its mirrors. A mirror that
// does not have something is no fault.
func (e *Endpoints) withFaults(err error, mirrors []error) error {
	var faults []error
	for i, fault := range mirrors {
		if !isNotThere(fault) {
			faults = append(faults, e.atMirror(i, fault))
		}
	}
	if len(faults) == 0 {
		return err
	}
	return &MirroredError{Err: err, Mirrors: faults}
}

func (e *Endpoints) atMirror(i int, err error) error {
	if failed, is := errors.AsType[*Error](err); is {
		return &MirrorError{Mirror: e.Mirror(i), Reference: failed.Reference, Op: failed.Op, Err: failed.Err}
	}
	return &MirrorError{Mirror: e.Mirror(i), Reference: e.all[i].Name(), Err: err}
}

// named makes an error of endpoints one of the repository itself.
func (e *Endpoints) named(err error, reference string) error {
	name := e.own.Name()
	if reference != "" {
		name = e.own.fullName(reference)
	}
	if at, is := err.(*MirrorError); is {
		return &Error{Op: at.Op, Reference: name, Err: at}
	}
	if both, is := err.(*MirroredError); is {
		op, inner := "", both.Err
		if own, is := errors.AsType[*Error](both.Err); is {
			op, inner = own.Op, own.Err
		}
		return &Error{Op: op, Reference: name, Err: &MirroredError{Err: inner, Mirrors: both.Mirrors}}
	}
	return err
}
