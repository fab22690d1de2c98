package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// origin is where artifacts come from: a repository of a registry, or a layout
// on disk. Calls may be concurrent. Errors carry operation and reference.
type origin interface {
	// queue names the queue whose limit the origin's requests count against.
	queue() string
	// repository is the full name, registry/path, or "" where there is none.
	repository() string
	// repositories says where a referrer belongs; nil: wherever its subject does.
	repositories(referrer digest.Digest) []string
	resolve(ctx context.Context, ref config.Reference) (ocispec.Descriptor, error)
	// open resolves and fetches in one request.
	open(ctx context.Context, ref config.Reference) (ocispec.Descriptor, []byte, error)
	manifest(ctx context.Context, desc ocispec.Descriptor) ([]byte, error)
	// child reads what an index names: nil where it is a blob and no manifest.
	child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error)
	referrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error)
	// attached lists the tags under which cosign keeps what belongs to a manifest.
	// Where that is not known without a request, it is asked only if ask is set.
	attached(ctx context.Context, subject digest.Digest, ask bool) ([]config.Reference, error)
	// hasBlob tells whether it has a blob of that size.
	hasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error)
	// blob reads n bytes at off; registry.ErrNoRange where a part cannot be had.
	blob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error)
}

// remote is a repository of a registry.
type remote struct {
	repo *registry.Repository
	ref  config.Reference // of the repository

	// fallbacks are the referrers tags that the tag list showed; nil while the
	// tags are not listed. A set is never changed once it is stored.
	fallbacks atomic.Pointer[map[string]bool]

	firstTags sync.Once // guards what follows: it is written there
	tags      []string
	more      bool
	tagsErr   error
}

func (r *remote) queue() string      { return r.ref.Registry }
func (r *remote) repository() string { return r.ref.Name() }

func (r *remote) repositories(digest.Digest) []string { return []string{r.ref.Name()} }

func (r *remote) resolve(ctx context.Context, ref config.Reference) (ocispec.Descriptor, error) {
	desc, err := r.repo.Resolve(ctx, target(ref))
	return desc, r.absent(ctx, ref, err)
}

func (r *remote) open(ctx context.Context, ref config.Reference) (ocispec.Descriptor, []byte, error) {
	desc, data, err := r.repo.FetchManifest(ctx, target(ref))
	var failed *registry.Error
	if errors.As(err, &failed) && failed.Op == "fetch" {
		// One request did both; for who reads of it, the name was not found.
		err = &registry.Error{Op: "resolve", Reference: failed.Reference, Err: failed.Err}
	}
	return desc, data, r.absent(ctx, ref, err)
}

// listPatience is how long the tags of a repository are waited for that only an
// error has a use for.
const listPatience = 10 * time.Second

// absent adds to the error of a tag that is not there which tags there are: one
// request for each repository, and nothing is lost if it fails.
func (r *remote) absent(ctx context.Context, ref config.Reference, err error) error {
	if ref.Tag == "" || ref.Digest != "" || !errors.Is(err, errdef.ErrNotFound) {
		return err
	}
	r.firstTags.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, listPatience)
		defer cancel()
		r.tags, r.more, r.tagsErr = r.repo.FirstTags(ctx)
	})
	gone := errors.Is(r.tagsErr, errdef.ErrNotFound)
	if r.tagsErr != nil && !gone {
		return err
	}
	return &TagError{Repository: r.ref.Name(), Tag: ref.Tag, Tags: r.tags, More: r.more, NoRepository: gone, Err: err}
}

func (r *remote) manifest(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	_, data, err := r.repo.FetchManifest(ctx, desc.Digest.String())
	if err != nil {
		return nil, err
	}
	if err := verify(desc, data); err != nil {
		return nil, &ArtifactError{Reference: r.ref.Name() + "@" + desc.Digest.String(), Op: "fetch", Err: err}
	}
	return data, nil
}

// maxLook bounds what is read of a blob that an index calls a manifest: most
// registries take no manifest that is larger.
const maxLook = 4 << 20

// child asks for a manifest, then for a blob: the two are kept apart, and the media
// type that an index gives may be wrong.
func (r *remote) child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size > store.MaxManifest {
		return nil, nil
	}
	data, err := r.manifest(ctx, desc)
	if !isNoManifest(err) {
		return data, err
	}
	has, e := r.repo.HasBlob(ctx, desc)
	switch {
	case e != nil || !has:
		return nil, err
	case store.IsContent(desc.MediaType) || desc.Size > maxLook || desc.Size == 0:
		return nil, nil
	}
	return r.look(ctx, desc)
}

// look reads a blob, since its bytes may be those of a manifest.
func (r *remote) look(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	body, err := r.repo.FetchBlob(ctx, desc, 0, desc.Size)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	if err := verify(desc, data); err != nil {
		return nil, &ArtifactError{Reference: r.ref.Name() + "@" + desc.Digest.String(), Op: "fetch", Err: err}
	}
	return data, nil
}

// isNoManifest tells the answers to a request for a manifest by its digest that may
// mean a blob: that is not found, or is none, or is larger than any.
func isNoManifest(err error) bool {
	switch registry.Status(err) {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusUnsupportedMediaType:
		return true
	}
	return errors.Is(err, errdef.ErrSizeExceedsLimit)
}

func (r *remote) referrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	fallbacks := r.fallbacks.Load()
	if fallbacks == nil {
		return r.repo.EveryReferrer(ctx, subject)
	}
	known := (*fallbacks)[registry.FallbackTag(subject.Digest)]
	return r.repo.Referrers(ctx, subject, &known)
}

// cosignKinds end the tags of signatures, attestations and SBOMs
// (github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md).
var cosignKinds = []string{".sig", ".att", ".sbom"}

// attached looks into the tag list, or asks for each tag where there is none.
func (r *remote) attached(ctx context.Context, subject digest.Digest, ask bool) ([]config.Reference, error) {
	var found []config.Reference
	listed := r.fallbacks.Load()
	if listed == nil && !ask {
		return nil, nil
	}
	for _, kind := range cosignKinds {
		ref := r.ref
		ref.Tag = registry.FallbackTag(subject) + kind
		if listed == nil {
			_, err := r.repo.Resolve(ctx, ref.Tag)
			if errors.Is(err, errdef.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
		} else if !(*listed)[ref.Tag] {
			continue
		}
		found = append(found, ref)
	}
	return found, nil
}

func (r *remote) hasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	return r.repo.HasBlob(ctx, desc)
}

func (r *remote) blob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	return r.repo.FetchBlob(ctx, desc, off, n)
}

// target is what a registry is asked for: the digest where one is given.
func target(ref config.Reference) string {
	if ref.Digest != "" {
		return ref.Digest.String()
	}
	return ref.Tag
}

// local is a layout on disk that a spec names as a source.
type local struct {
	layout store.Layout
	path   string
	all    []root                                 // what a source has; those of an input are there
	roots  map[string]ocispec.Descriptor          // by the full name that the artifact gets
	points map[digest.Digest][]ocispec.Descriptor // referrers by their subject
	homes  map[digest.Digest][]string             // the repositories of a referrer
}

// onDisk tells a layout, or what is in memory, from a registry: nothing of it comes
// over a network.
func onDisk(o origin) bool {
	_, remote := o.(*remote)
	return !remote
}

func newLocal(l store.Layout, path string) *local {
	return &local{layout: l, path: path, roots: make(map[string]ocispec.Descriptor),
		points: make(map[digest.Digest][]ocispec.Descriptor), homes: make(map[digest.Digest][]string)}
}

func (l *local) queue() string      { return "layout " + l.path }
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

// child takes what a pipe has not brought among the manifests for a blob that is to
// come.
func (l *local) child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	if err := bounds.Enter(ctx, min(desc.Size, store.MaxManifest)); err != nil {
		return nil, err
	}
	data, err := store.ReadChild(l.layout, desc)
	if _, pipe := l.layout.(streamed); pipe && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
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
	if _, pipe := l.layout.(streamed); pipe {
		return true, nil // it may come
	}
	return l.has(desc), nil
}

func (l *local) blob(_ context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	return openPart(l.layout, desc, off, n)
}

// inline is a blob of which the bytes are in memory, since they came with a manifest
// or instead of one. It is asked for nothing else.
type inline struct {
	origin // of the manifest
	data   []byte
}

func (i *inline) hasBlob(_ context.Context, desc ocispec.Descriptor) (bool, error) {
	return int64(len(i.data)) == desc.Size, nil
}

func (i *inline) queue() string { return "memory" }

func (i *inline) blob(_ context.Context, _ ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(i.data[off : off+n])), nil
}

// openPart reads n bytes at off of a blob of a layout.
func openPart(l store.Layout, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	b, err := l.Open(desc.Digest)
	if err != nil {
		return nil, err
	}
	if b.Size() != desc.Size {
		return nil, errors.Join(&store.MismatchError{Descriptor: desc, Size: b.Size()}, b.Close())
	}
	if err := skip(b, off); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return part{Reader: io.LimitReader(b, n), Closer: b}, nil
}

type part struct {
	io.Reader
	io.Closer
}

// skip goes forward to off, by seeking where that is possible.
func skip(r io.Reader, off int64) error {
	if off == 0 {
		return nil
	}
	if s, ok := r.(io.Seeker); ok {
		_, err := s.Seek(off, io.SeekStart)
		return err
	}
	_, err := io.CopyN(io.Discard, r, off)
	return err
}
