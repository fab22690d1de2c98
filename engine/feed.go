package engine

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/semaphore"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// feed starts what can start: deliveries that need no blob, and the uploads, at
// random from a layout, as they come from a pipe.
func (r *restore) feed() error {
	for _, d := range r.all {
		if d.err != nil || d.pending > 0 {
			continue
		}
		if err := r.ready(d); err != nil {
			return err
		}
	}
	switch {
	case r.before != nil:
		r.feedNothing()
		return nil
	case r.in.stream != nil:
		return r.feedStream(r.pool.ctx)
	}
	for _, u := range r.order {
		r.pool.add(u.registry, u.size, func(ctx context.Context) error {
			return r.send(ctx, u, func(heard func(int64)) (io.ReadCloser, error) {
				return r.open(ctx, u.places[0].repo, u.registry, u.blob, heard)
			})
		})
	}
	return nil
}

// feedStream takes the blobs as a pipe brings them. One up to a quarter of the
// memory is held until the registry has it; a larger one goes straight through.
func (r *restore) feedStream(ctx context.Context) error {
	r.Buffer = bounds.Room(r.Buffer, leastBuffer)
	held := semaphore.NewWeighted(r.Buffer)
	type content struct {
		digest digest.Digest
		size   int64
	}
	wanted := make(map[content]*upload)
	for _, u := range r.order {
		wanted[content{u.digest, u.size}] = u
	}
	for {
		d, size, err := r.in.stream.Next()
		if errors.Is(err, io.EOF) {
			return r.atEnd()
		}
		if err != nil {
			return err
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		u := wanted[content{d, size}]
		if u == nil || u.taken {
			continue
		}
		if err := r.pipe(ctx, u, held); err != nil {
			return err
		}
	}
}

func (r *restore) pipe(ctx context.Context, u *upload, held *semaphore.Weighted) error {
	if u.size > r.Buffer/4 {
		if r.TempDir != "" {
			return r.keep(ctx, u)
		}
		return r.through(ctx, u)
	}
	charge := max(u.size, 64<<10)
	if charge > r.Buffer {
		charge = r.Buffer
	}
	if err := held.Acquire(ctx, charge); err != nil {
		return context.Cause(ctx)
	}
	data := make([]byte, u.size)
	if _, err := io.ReadFull(r.in.stream, data); err != nil {
		return err
	}
	if u.blob.digest.Algorithm().FromBytes(data) != u.digest {
		held.Release(charge)
		u.err = &store.MismatchError{Descriptor: u.blob.oci(), Size: u.size, Digest: u.digest.Algorithm().FromBytes(data)}
		return nil // as if it were not there: the writer may send it again
	}
	u.taken = true
	r.pool.add(u.registry, u.size, func(ctx context.Context) error {
		defer held.Release(charge)
		return r.sendBytes(ctx, u, data)
	})
	return nil
}

func (r *restore) sendBytes(ctx context.Context, u *upload, data []byte) error {
	return r.send(ctx, u, func(heard func(int64)) (io.ReadCloser, error) {
		return io.NopCloser(&counted{Reader: bytes.NewReader(data), heard: heard}), nil
	})
}

// keep puts a large blob into a temporary file, so that it can be sent again.
func (r *restore) keep(ctx context.Context, u *upload) (err error) {
	f, err := store.CreateTemp(r.TempDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	hash := u.blob.digest.Algorithm().Hash()
	if _, err := io.Copy(io.MultiWriter(f, hash), r.in.stream); err != nil {
		return err
	}
	if u.err = checkHash(u.blob, hash); u.err != nil {
		return nil
	}
	u.taken = true
	return r.send(ctx, u, func(heard func(int64)) (io.ReadCloser, error) {
		heard(u.size)
		return io.NopCloser(io.NewSectionReader(f, 0, u.size)), nil
	})
}

// through sends a large blob as it comes. What the registry has already, or
// refuses, is skipped by the next call of Next. A wrong one is as if it were not
// there: the right one may still come.
func (r *restore) through(ctx context.Context, u *upload) error {
	var body *verifiedBlob
	open := func(heard func(int64)) (io.ReadCloser, error) {
		if body != nil {
			return nil, ErrSpent
		}
		body = verified(io.NopCloser(&counted{Reader: r.in.stream, heard: heard}), u.blob)
		return body, nil
	}
	if err := r.transfer(ctx, u, open); err != nil {
		return err
	}
	if body != nil {
		if u.err = body.fault(); u.err != nil {
			return nil
		}
	}
	u.taken = true
	return r.sent(u)
}

// absent gives up what waits for blobs that never came.
func (r *restore) absent() error {
	for _, u := range r.order {
		if u.taken {
			continue
		}
		if data := r.graph.embedded(u.blob); data != nil {
			if err := r.sendBytes(r.pool.ctx, u, data); err != nil {
				return err
			}
			continue
		}
		err := u.err
		if u.never = err == nil; u.never {
			err = &MissingError{Blob: u.digest.String()}
		}
		for _, p := range u.places {
			p.err = &CorruptError{Err: err}
		}
		if err := r.sent(u); err != nil {
			return err
		}
	}
	return nil
}
