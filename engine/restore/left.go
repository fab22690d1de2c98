package restore

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/store"
)

// leaver is a Source that leaves blobs to its base: a delta.
type leaver interface {
	// Left returns an *engine.NeedsBaseError if the source leaves a blob to its base, else nil.
	Left(b graph.Descriptor) error
	// Home returns a repository, REGISTRY/PATH, from which the base has a blob that it leaves;
	// "" if one that needs the blob is among them, or none is known.
	Home(b graph.Descriptor) string
}

// leftBy returns an error if a source leaves a blob to its base, which says so.
func leftBy(s Source, b graph.Descriptor) error {
	if l, is := s.(leaver); is {
		return l.Left(b)
	}
	return nil
}

// isLeft reports whether an error says that a blob is left to the base.
func isLeft(err error) bool {
	_, is := errors.AsType[*engine.NeedsBaseError](err)
	return is
}

// Left asks the layout first: it may have more than its list says.
func (s *layoutSource) Left(b graph.Descriptor) error {
	if s.delta == nil || s.delta.Holds(b.Digest) {
		return nil
	}
	if _, err := s.local.Layout.Stat(b.Digest); !errors.Is(err, fs.ErrNotExist) || s.embedded(b) != nil {
		return nil
	}
	return &engine.NeedsBaseError{Base: s.delta.Name(), Blob: b.Digest}
}

func (s *layoutSource) Home(b graph.Descriptor) string {
	if s.delta == nil {
		return ""
	}
	return s.delta.Repository(b.Digest)
}

// embedded returns the bytes of a blob that some descriptor has in itself, nil if none has. What
// is no image has the empty document as its config, which needs no base.
func (s *layoutSource) embedded(b graph.Descriptor) []byte {
	empty := ocispec.DescriptorEmptyJSON
	if s.delta != nil && b.Digest == empty.Digest && b.Size == empty.Size {
		return empty.Data
	}
	return s.graph.Embedded(b)
}

// deltaOrigin walks the manifests of a delta, whose blobs may be in its base.
type deltaOrigin struct {
	*graph.Local
	delta *store.Delta
}

// Child returns nil, as for a blob, for a child that is left to the base.
func (o *deltaOrigin) Child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	data, err := o.Local.Child(ctx, desc)
	if errors.Is(err, fs.ErrNotExist) && o.delta.Leaves(desc) {
		return nil, nil
	}
	return data, err
}

// HasBlob returns true for a blob that the base may have.
func (o *deltaOrigin) HasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	has, err := o.Local.HasBlob(ctx, desc)
	return has || o.delta.Leaves(desc), err
}

// lenders are the repositories of the targets that have the blobs which a delta leaves to its
// base: those of artifacts that are there.
type lenders struct {
	source Source
	mapper *config.Mapper
	paths  map[uploadKey][]string
}

// mostLenders bounds the repositories that a blob is mounted from: one may refuse.
const mostLenders = 3

// newLenders finds the lenders of the blobs that are left, among the deliveries that are there.
func newLenders(s Source, mapper *config.Mapper, wanted []*upload, all []*delivery) *lenders {
	l := &lenders{source: s, mapper: mapper, paths: make(map[uploadKey][]string)}
	left := make(map[uploadKey]bool)
	for _, one := range wanted {
		if leftBy(s, one.blob) != nil {
			left[one.uploadKey] = true
		}
	}
	if len(left) == 0 {
		return l
	}
	for _, d := range all {
		if d.visit == nil || !d.found.present {
			continue
		}
		d.visit.Linked(func(v *graph.Visit) {
			for _, b := range v.Blobs() {
				if key := (uploadKey{d.target.Registry, b.Digest, b.Size}); left[key] {
					l.add(key, d.path)
				}
			}
		})
	}
	return l
}

func (l *lenders) add(key uploadKey, path string) {
	if len(l.paths[key]) < mostLenders && !slices.Contains(l.paths[key], path) {
		l.paths[key] = append(l.paths[key], path)
	}
}

// home maps the repository that the delta records for a blob to one of the target; "" if it
// records none.
func (l *lenders) home(one *upload, d *delivery) string {
	from, is := l.source.(leaver)
	if !is {
		return ""
	}
	ref, err := config.ParseReference(from.Home(one.blob))
	if err != nil {
		return ""
	}
	path, _, ok, err := l.mapper.Map(config.Reference{Registry: ref.Registry, Repository: ref.Repository})
	if err != nil || !ok {
		return ""
	}
	return d.target.Join(path)
}

// Borrow looks in the targets for a blob that the source leaves to its base; why is the error of
// a target that does not have it.
func (u *uploads) Borrow(b graph.Descriptor, why error) {
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
// the one that the delta records.
func (u *uploads) borrowTo(ctx context.Context, one *upload, to *recipient, paths []string, why error) error {
	if len(paths) == 0 {
		home, err := u.borrowHome(ctx, one, to)
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

// borrowHome returns the repository that the delta records for a blob; "" if there is none, or if
// it lacks the blob.
func (u *uploads) borrowHome(ctx context.Context, one *upload, to *recipient) (string, error) {
	home := u.lenders.home(one, to.waiting[0])
	if home == "" || home == to.path {
		return "", nil
	}
	from, err := u.repository(one.registry, home)
	if err != nil {
		return "", err
	}
	has, err := from.HasBlob(ctx, one.blob.OCI())
	if !has {
		home = ""
	}
	return home, err
}

// borrowFrom mounts a blob from another repository, or copies it from there if the registry does
// not mount.
func (u *uploads) borrowFrom(ctx context.Context, one *upload, to *recipient, path string) error {
	from, err := u.repository(one.registry, path)
	if err != nil {
		return err
	}
	mounted, err := to.to.mountBlob(ctx, one.blob, path, body{open: func(ctx context.Context, r Reading) (io.ReadCloser, error) {
		return fetchVerified(ctx, from, one.blob, to.sending.Begin())
	}})
	to.mounted.Store(mounted)
	if err == nil && !mounted {
		u.sent.add(one.registry, one.blob)
	}
	return err
}
