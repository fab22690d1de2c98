package origin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Remote is a repository of a registry, which may have mirrors.
type Remote struct {
	repo *registry.Endpoints
	ref  config.Reference // of the repository

	mirrors answers // which mirror answered for a root

	// fallbacks are the referrers tags that the tag list showed; nil while the
	// tags are not listed. A set is never changed once it is stored.
	fallbacks atomic.Pointer[map[string]bool]

	firstTags sync.Once // guards what follows: it is written there
	tags      []string
	more      bool
	tagsErr   error
}

// NewRemote returns the repository that ref names as an origin.
func NewRemote(repo *registry.Endpoints, ref config.Reference) *Remote {
	return &Remote{repo: repo, ref: config.Reference{Registry: ref.Registry, Repository: ref.Repository}}
}

// AllTags lists the tags, and notes those under which referrers are kept.
func (r *Remote) AllTags(ctx context.Context) ([]string, error) {
	var all []string
	fallbacks := make(map[string]bool)
	start := func() {
		all = nil
		clear(fallbacks)
	}
	err := r.repo.Tags(ctx, start, func(page []string) error {
		for _, tag := range page {
			if filter.IsReferrersTag(tag) {
				fallbacks[tag] = true
			}
		}
		all = append(all, page...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.fallbacks.Store(&fallbacks)
	return all, nil
}

// Registry returns the registry of the repository.
func (r *Remote) Registry() string { return r.ref.Registry }

// Path returns the repository without its registry.
func (r *Remote) Path() string { return r.ref.Repository }

func (r *Remote) Queue() string { return r.ref.Registry }

func (r *Remote) Repository() string { return r.ref.Name() }

func (r *Remote) Repositories(digest.Digest) []string { return []string{r.ref.Name()} }

func (r *Remote) Resolve(ctx context.Context, ref config.Reference) (ocispec.Descriptor, error) {
	desc, at, err := r.repo.Resolve(ctx, target(ref))
	r.answered(ref, at, err)
	return desc, r.absent(ctx, ref, err)
}

func (r *Remote) Open(ctx context.Context, ref config.Reference) (ocispec.Descriptor, []byte, error) {
	desc, data, at, err := r.repo.FetchManifest(ctx, target(ref), nil)
	r.answered(ref, at, err)
	if failed, is := errors.AsType[*registry.Error](err); is && failed.Op == "fetch" {
		// One request did both; to a reader of the error, the name was not found.
		err = &registry.Error{Op: "resolve", Reference: failed.Reference, Err: failed.Err}
	}
	return desc, data, r.absent(ctx, ref, err)
}

// listPatience bounds the wait for a tag list that only improves an error message.
const listPatience = 10 * time.Second

// absent adds the tags that exist to the error for a tag that does not: one request for each
// repository, which may fail.
func (r *Remote) absent(ctx context.Context, ref config.Reference, err error) error {
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
	return &engine.TagError{Repository: r.ref.Name(), Tag: ref.Tag, Tags: r.tags, More: r.more, NoRepository: gone, Err: err}
}

func (r *Remote) Manifest(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	_, data, _, err := r.repo.FetchManifest(ctx, desc.Digest.String(), func(data []byte) error {
		if err := content.Verify(desc, data); err != nil {
			return &engine.ArtifactError{Reference: r.ref.Name() + "@" + desc.Digest.String(), Op: "fetch", Err: err}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// MaxLook bounds the size of a blob that is read because an index calls it a manifest: most
// registries accept no larger manifest.
const MaxLook = 4 << 20

// Child asks for a manifest, then for a blob: the two are kept apart, and the media
// type that an index gives may be wrong.
func (r *Remote) Child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	if desc.Size > oci.MaxManifest {
		return nil, nil
	}
	data, err := r.Manifest(ctx, desc)
	if !isNoManifest(err) {
		return data, err
	}
	has, e := r.repo.HasBlob(ctx, desc)
	switch {
	case e != nil || !has:
		return nil, err
	case oci.IsContent(desc.MediaType) || desc.Size > MaxLook || desc.Size == 0:
		return nil, nil
	}
	return r.look(ctx, desc)
}

// look reads a blob, since its bytes may be those of a manifest.
func (r *Remote) look(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	body, _, err := r.repo.FetchBlob(ctx, desc, 0, desc.Size, 0)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(body)
	if err := errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	if err := content.Verify(desc, data); err != nil {
		return nil, &engine.ArtifactError{Reference: r.ref.Name() + "@" + desc.Digest.String(), Op: "fetch", Err: err}
	}
	return data, nil
}

// isNoManifest reports whether the response to a request for a manifest by its digest may
// mean that it is a blob: not found, not a manifest, or too large for one.
func isNoManifest(err error) bool {
	switch transport.Status(err) {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusUnsupportedMediaType:
		return true
	}
	return errors.Is(err, errdef.ErrSizeExceedsLimit)
}

func (r *Remote) Referrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	fallbacks := r.fallbacks.Load()
	if fallbacks == nil {
		return r.repo.AllReferrers(ctx, subject)
	}
	known := (*fallbacks)[registry.FallbackTag(subject.Digest)]
	return r.repo.Referrers(ctx, subject, &known)
}

// Attached looks into the tag list, or asks for each tag where there is none.
func (r *Remote) Attached(ctx context.Context, subject Attachee) ([]config.Reference, error) {
	var found []config.Reference
	listed := r.fallbacks.Load()
	if listed == nil && !subject.Ask {
		return nil, nil
	}
	for _, tag := range cosign.Tags(subject.Digest, subject.Kinds) {
		ref := r.ref
		ref.Tag = tag
		if listed == nil {
			_, _, err := r.repo.Resolve(ctx, ref.Tag)
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

// Owners asks for the manifest itself.
func (r *Remote) Owners(ctx context.Context, _ string, subject digest.Digest) ([]Owner, error) {
	desc, err := r.Resolve(ctx, config.Reference{Registry: r.ref.Registry, Repository: r.ref.Repository, Digest: subject})
	return []Owner{{Desc: desc}}, err
}

func (r *Remote) HasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	return r.repo.HasBlob(ctx, desc)
}

func (r *Remote) Blob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	body, _, err := r.repo.FetchBlob(ctx, desc, off, n, 0)
	return body, err
}

// target returns the name that a registry is asked for: the digest where one is given.
func target(ref config.Reference) string {
	if ref.Digest != "" {
		return ref.Digest.String()
	}
	return ref.Tag
}

// IsUnknown reports whether a 404 says that the repository does not exist: it has the code
// for that, or none at all (a page, or nothing).
func IsUnknown(err error) bool {
	refusal, is := errors.AsType[*errcode.ErrorResponse](err)
	if !is {
		return false
	}
	return len(refusal.Errors) == 0 && errors.Is(err, errdef.ErrNotFound) ||
		slices.ContainsFunc(refusal.Errors, func(e errcode.Error) bool {
			return e.Code == errcode.ErrorCodeNameUnknown || e.Code == "NOT_FOUND" // Harbor's
		})
}

// IsAbsent reports whether a repository, whose tags are selected by their names, is not
// there: it has none of them, and no list of tags. The list alone says too little: a proxy
// may have the tags and no list.
func (r *Remote) IsAbsent(ctx context.Context, tags []string) bool {
	for _, tag := range tags {
		if _, _, err := r.repo.Resolve(ctx, tag); !errors.Is(err, errdef.ErrNotFound) {
			return false
		}
	}
	_, _, err := r.repo.FirstTags(ctx)
	return IsUnknown(err)
}
