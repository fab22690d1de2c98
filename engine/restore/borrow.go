package restore

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// Borrow looks in the targets for a blob that the source leaves to its base; why is the error of
// a target that does not have it.
func (u *uploads) Borrow(b content.Descriptor, why error) {
	for _, one := range u.byBlob[b.Key()] {
		u.pool.Add(one.registry, 0, func(ctx context.Context) error {
			if err := u.borrow(ctx, one, why); err != nil {
				return err
			}
			return u.release(one)
		})
	}
}

// borrow makes sure that each recipient has a blob: it asks all of them, and mounts the blob into
// those that lack it. A recipient keeps its error.
func (u *uploads) borrow(ctx context.Context, one *upload, why error) error {
	paths := slices.Clone(u.lenders.paths[one.uploadKey])
	var lacking []*recipient
	for _, to := range one.recipients {
		has, err := to.has(ctx, one.blob)
		to.err = err
		switch {
		case has:
			paths = append(paths, to.path)
		case err == nil:
			lacking = append(lacking, to)
		}
		to.sending.Spare()
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	for _, to := range lacking {
		if to.err = u.borrowTo(ctx, one, to, paths, why); to.err == nil {
			paths = []string{to.path}
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
	}
	return nil
}

// borrowTo mounts a blob into a recipient from one of the repositories that have it, or from
// one where the base may have put it.
func (u *uploads) borrowTo(ctx context.Context, one *upload, to *recipient, paths []string, why error) error {
	if len(paths) == 0 {
		home, err := u.findHome(ctx, one, to)
		if err != nil || home == "" {
			return cmp.Or(err, why)
		}
		paths = []string{home}
	}
	for _, path := range paths[:min(len(paths), mostLenders)] {
		err := u.borrowFrom(ctx, one, to, path)
		if err == nil || context.Cause(ctx) != nil {
			return err
		}
		if !errors.Is(err, errdef.ErrNotFound) {
			why = err
		}
	}
	return why
}

// findHome returns the first of the repositories where the base may have put a blob that has it;
// "" if none has.
func (u *uploads) findHome(ctx context.Context, one *upload, to *recipient) (string, error) {
	for _, home := range u.lenders.homes(ctx, one, to.waiting[0]) {
		if home == to.path {
			continue
		}
		from, err := u.repository(one.registry, home)
		if err != nil {
			return "", err
		}
		has, err := from.HasBlob(ctx, one.blob.OCI())
		if has || err != nil {
			return home, err
		}
	}
	return "", nil
}

// borrowFrom mounts a blob from another repository, or copies it from there if the registry does
// not mount.
func (u *uploads) borrowFrom(ctx context.Context, one *upload, to *recipient, path string) error {
	from, err := u.repository(one.registry, path)
	if err != nil {
		return err
	}
	mounted, err := to.to.mountBlob(ctx, one.blob, path, body{open: func(ctx context.Context, r source.Reading) (io.ReadCloser, error) {
		return fetchVerified(ctx, from, one.blob, to.sending.Begin())
	}})
	to.mounted.Store(mounted)
	if err == nil && !mounted {
		u.sent.add(one.registry, one.blob)
	}
	return err
}
