package engine

import (
	"context"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// local is a layout on disk that a spec names as a source.
type local struct {
	layout store.Layout
	path   string
	all    []root                                 // what a source has; those of an input are there
	roots  map[string]ocispec.Descriptor          // by the full name that the artifact gets
	points map[digest.Digest][]ocispec.Descriptor // referrers by their subject
	homes  map[digest.Digest][]string             // the repositories of a referrer
}

func newLocal(l store.Layout, path string) *local {
	return &local{layout: l, path: path, roots: make(map[string]ocispec.Descriptor),
		points: make(map[digest.Digest][]ocispec.Descriptor), homes: make(map[digest.Digest][]string)}
}

// newSource is a layout that a backup reads: an entry with a bare tag, or with no name,
// belongs to repository.
func newSource(l store.Layout, path string, repository config.Reference) *local {
	s := newLocal(l, path)
	s.all = s.rootsOf(l.Index().Entries, repository)
	return s
}

// artifacts lists the references of a source, and the roots that a backup cannot have.
// Calls must not be concurrent.
func (l *local) artifacts() (refs []config.Reference, faulty []root) {
	for _, r := range l.all {
		if r.fault = r.misplaced(l.path); r.fault != nil {
			faulty = append(faulty, r)
			continue
		}
		l.roots[r.ref.EntryName()] = r.entry.Descriptor()
		refs = append(refs, r.ref)
	}
	return refs, faulty
}

func (l *local) close() error { return l.layout.Close() }

func (l *local) queue() string { return "layout " + l.path }

func (l *local) repository() string { return l.path }

func (l *local) repositories(referrer digest.Digest) []string { return l.homes[referrer] }

func (l *local) has(desc ocispec.Descriptor) bool {
	size, err := l.layout.Stat(desc.Digest)
	return err == nil && size == desc.Size
}

func (l *local) resolve(_ context.Context, ref config.Reference) (ocispec.Descriptor, error) {
	desc, ok := l.roots[ref.EntryName()]
	if !ok {
		return desc, &ArtifactError{Reference: ref.String(), Op: "resolve", Err: fs.ErrNotExist}
	}
	return desc, nil
}

func (l *local) open(ctx context.Context, ref config.Reference) (ocispec.Descriptor, []byte, error) {
	desc, err := l.resolve(ctx, ref)
	if err != nil {
		return desc, nil, err
	}
	data, err := l.manifest(ctx, desc)
	return desc, data, err
}

func (l *local) manifest(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	err := bounds.Enter(ctx, min(desc.Size, store.MaxManifest))
	var data []byte
	if err == nil {
		data, err = store.ReadManifest(l.layout, desc)
	}
	if err != nil {
		return nil, &ArtifactError{Reference: l.path + "@" + desc.Digest.String(), Op: "read", Err: err}
	}
	return data, nil
}

func (l *local) child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	if err := bounds.Enter(ctx, min(desc.Size, store.MaxManifest)); err != nil {
		return nil, err
	}
	data, err := store.ReadChild(l.layout, desc)
	if err != nil {
		return nil, &ArtifactError{Reference: l.path + "@" + desc.Digest.String(), Op: "read", Err: err}
	}
	return data, nil
}

func (l *local) referrers(_ context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	return l.points[subject.Digest], nil
}

// attached lists nothing: every name of a layout is selected by itself.
func (l *local) attached(context.Context, digest.Digest, bool) ([]config.Reference, error) {
	return nil, nil
}

func (l *local) hasBlob(_ context.Context, desc ocispec.Descriptor) (bool, error) {
	return l.has(desc), nil
}

func (l *local) blob(_ context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	return openPart(l.layout, desc, off, n)
}
