package source

import (
	"context"
	"errors"
	"io"
	"io/fs"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
)

func (s *layout) Check(ctx context.Context, t engine.Trust, root origin.Root) ([]string, error) {
	return s.checkWith(ctx, t, root, func(ctx context.Context, blob ocispec.Descriptor) ([]byte, error) {
		return s.read(ctx, content.Of(blob), blob.Data)
	})
}

func (s *layout) checkWith(ctx context.Context, t engine.Trust, root origin.Root, read engine.ReadBlob) ([]string, error) {
	return graph.CheckRoot(ctx, s.of(root.Repository()), root, t, read)
}

// read returns the bytes of a small blob; embedded are those that a descriptor has in itself.
func (s *layout) read(_ context.Context, d content.Descriptor, embedded []byte) ([]byte, error) {
	body, err := s.open(d)
	if errors.Is(err, fs.ErrNotExist) && len(embedded) > 0 {
		return embedded, nil
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(body, d.Size+1))
	return data, errors.Join(err, body.Close())
}

// Check returns ErrAwaited until the pipe has brought all signatures of a root, so that the
// signers do not depend on the order of the blobs.
func (p *pipe) Check(ctx context.Context, t engine.Trust, root origin.Root) ([]string, error) {
	waits := false
	signedBy, err := p.checkWith(ctx, t, root, func(ctx context.Context, blob ocispec.Descriptor) ([]byte, error) {
		d := content.Of(blob)
		if int64(len(blob.Data)) == blob.Size {
			return blob.Data, nil
		}
		if p.bases != nil {
			if data, err := p.bases.read(ctx, d, nil); err == nil {
				return data, nil
			}
		}
		data, err := p.taken.want(d)
		waits = waits || err == ErrAwaited
		if left := p.Left(d); left != nil && err != nil && err != ErrAwaited {
			return nil, left
		}
		return data, err
	})
	if waits {
		return nil, ErrAwaited
	}
	return signedBy, err
}
