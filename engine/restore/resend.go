package restore

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
)

// resend uploads a blob that a repository should have, once, and does not mount it: the
// missing blob may be one that was mounted.
func (u *uploads) resend(ctx context.Context, d *delivery, b content.Descriptor) error {
	_, err := u.resent.Do(ctx, d.at(b.Digest), func() (struct{}, error) {
		one := u.byKey[uploadKey{d.Target.Registry, b.Digest, b.Size}]
		if one != nil && slices.ContainsFunc(one.recipients, func(to *recipient) bool { return to.path == d.Path && to.mounted.Load() }) {
			d.repo.DisableMounts()
		}
		sending := &headway.Sending{Progress: u.progress, Size: b.Size}
		from := u.body(&upload{uploadKey: uploadKey{d.Target.Registry, b.Digest, b.Size}, blob: b}, sending, u.source.Content(b))
		from.open = one.openOrCopy(d.Path, from.open, sending)
		if err := d.to.pushBlob(ctx, b, from); err != nil {
			sending.Spare()
			return struct{}{}, u.source.Blame(b, err)
		}
		u.sent.add(d.Target.Registry, b)
		return struct{}{}, nil
	})
	return err
}

// openOrCopy opens a blob. If its bytes are spent, it reads them from a repository, other than
// the one in path, that received them.
func (one *upload) openOrCopy(path string, open func(context.Context, source.Reading) (io.ReadCloser, error), s *headway.Sending) func(context.Context, source.Reading) (io.ReadCloser, error) {
	return func(ctx context.Context, r source.Reading) (io.ReadCloser, error) {
		body, err := open(ctx, r)
		if one == nil || !errors.Is(err, engine.ErrSpent) {
			return body, err
		}
		for _, to := range one.recipients {
			if to.path == path {
				continue
			}
			if body, err := fetchVerified(ctx, to.repo, one.blob, s.Begin()); err == nil {
				return body, nil
			}
		}
		return nil, engine.ErrSpent
	}
}
