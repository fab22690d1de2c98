package origin

import (
	"context"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Local is a layout on disk: one that a spec names as a source, the input of a restore, or an
// output that has content already.
type Local struct {
	Layout    store.Layout
	path      string
	all       []Root           // what a source has; those of an input are there
	names     map[string]int32 // where in all a root is, by the full name that the artifact gets
	referrers referrers
	ownership ownership
}

// NewLocal returns the layout that lies at path as an origin.
func NewLocal(l store.Layout, path string) *Local {
	return &Local{Layout: l, path: path, referrers: newReferrers()}
}

// Artifacts lists the references of a source, and the roots that a backup cannot have.
// Calls must not be concurrent.
func (l *Local) Artifacts() (refs []config.Reference, faulty []Root) {
	l.nameRoots()
	for _, r := range l.all {
		if r.Fault = r.Misplaced(l.path); r.Fault != nil {
			faulty = append(faulty, r)
			continue
		}
		refs = append(refs, r.Ref)
	}
	return refs, faulty
}

// Index notes the roots of an input, so that signatures and the artifacts that they belong to
// are found by their names.
func (l *Local) Index(roots []Root) {
	l.all = roots
	l.nameRoots()
}

// nameRoots notes where the roots are. It keeps no name twice: there are 100,000.
func (l *Local) nameRoots() {
	l.names = make(map[string]int32, len(l.all))
	for i, r := range l.all {
		if r.Misplaced(l.path) != nil {
			continue
		}
		name := r.Ref.EntryName()
		if name == r.Entry.Name {
			name = r.Entry.Name
		}
		l.names[name] = int32(i)
	}
}

// Close closes the layout.
func (l *Local) Close() error { return l.Layout.Close() }

func (l *Local) Queue() string { return "layout " + l.path }

func (l *Local) Repository() string { return l.path }

func (l *Local) Repositories(referrer digest.Digest) []string { return l.referrers.homes(referrer) }

// Has reports whether the layout has a blob or a manifest of that size.
func (l *Local) Has(desc ocispec.Descriptor) bool {
	size, err := l.Layout.Stat(desc.Digest)
	return err == nil && size == desc.Size
}

func (l *Local) Resolve(_ context.Context, ref config.Reference) (ocispec.Descriptor, error) {
	at, ok := l.names[ref.EntryName()]
	if !ok {
		return ocispec.Descriptor{}, &engine.ArtifactError{Reference: ref.String(), Op: "resolve", Err: fs.ErrNotExist}
	}
	return l.all[at].Entry.Descriptor(), nil
}

func (l *Local) Open(ctx context.Context, ref config.Reference) (ocispec.Descriptor, []byte, error) {
	desc, err := l.Resolve(ctx, ref)
	if err != nil {
		return desc, nil, err
	}
	data, err := l.Manifest(ctx, desc)
	return desc, data, err
}

func (l *Local) Manifest(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	err := bounds.Enter(ctx, min(desc.Size, oci.MaxManifest))
	var data []byte
	if err == nil {
		data, err = store.ReadManifest(l.Layout, desc)
	}
	if err != nil {
		return nil, &engine.ArtifactError{Reference: l.path + "@" + desc.Digest.String(), Op: "read", Err: err}
	}
	return data, nil
}

func (l *Local) Child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	if err := bounds.Enter(ctx, min(desc.Size, oci.MaxManifest)); err != nil {
		return nil, err
	}
	data, err := store.ReadChild(l.Layout, desc)
	if err != nil {
		return nil, &engine.ArtifactError{Reference: l.path + "@" + desc.Digest.String(), Op: "read", Err: err}
	}
	return data, nil
}

func (l *Local) Referrers(_ context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	return l.referrers.of(subject.Digest), nil
}

// Attached lists the signature that a policy asks for. Every other name of a layout is selected
// by itself.
func (l *Local) Attached(_ context.Context, subject Attachee) ([]config.Reference, error) {
	ref, err := config.ParseReference(subject.Repository)
	if subject.Repository == "" || err != nil {
		return nil, nil
	}
	ref.Tag = cosign.Tag(subject.Digest, cosign.Signature)
	if _, has := l.names[ref.EntryName()]; !has {
		return nil, nil
	}
	return []config.Reference{ref}, nil
}

func (l *Local) HasBlob(_ context.Context, desc ocispec.Descriptor) (bool, error) {
	return l.Has(desc), nil
}

func (l *Local) Blob(_ context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	return openPart(l.Layout, desc, off, n)
}
