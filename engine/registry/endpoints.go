package registry

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Endpoints are the repositories that have the content of one repository: its mirrors, in the
// order of the settings, then the repository itself. Each is reached with the settings, the
// credentials and the limits of its own registry.
//
// Manifests and blobs come from the first that has them. Lists (tags, referrers) come from
// the repository itself, since a cache knows only what it was asked for before. Without the
// repository itself ([Settings.MirrorsOnly]) the mirrors answer for it.
//
// An error names the repository itself. It is that of the repository if that was asked, else
// the first one that does not mean "not found". Endpoints are safe for concurrent use.
type Endpoints struct {
	own     *Repository
	all     []*Repository // in the order in which they are asked
	mirrors []Mirror      // of the first repositories in all

	notice   func(message string)
	unlisted atomic.Bool // the user knows that a mirror has not listed referrers
}

// Only returns the endpoints of a repository that is asked itself, whatever mirrors it has.
func Only(r *Repository) *Endpoints { return &Endpoints{own: r, all: []*Repository{r}} }

// Endpoints returns the endpoints of a repository by the settings of its registry. notice is
// called with what the user should know about a mirror; calls may be concurrent.
func (c *Client) Endpoints(registryName, repository string, notice func(message string)) (*Endpoints, error) {
	own, err := c.Repository(registryName, repository)
	if err != nil {
		return nil, err
	}
	s := own.host.settings
	e := &Endpoints{own: own, mirrors: s.Mirrors, notice: notice}
	for _, m := range s.Mirrors {
		r, err := c.Repository(m.Registry, m.path(repository))
		if err != nil {
			return nil, err
		}
		e.all = append(e.all, r)
	}
	if !s.MirrorsOnly || len(e.all) == 0 {
		e.all = append(e.all, own)
	}
	return e, nil
}

// Len returns the number of endpoints.
func (e *Endpoints) Len() int { return len(e.all) }

// At returns an endpoint, counted from 0, and a context for its requests. With that they fail
// soon if there is another endpoint behind it.
func (e *Endpoints) At(ctx context.Context, i int) (context.Context, *Repository) {
	if i < len(e.all)-1 {
		ctx = transport.Brief(ctx)
	}
	return ctx, e.all[i]
}

// Ready returns the first endpoint, from i on, that is not passed over now.
func (e *Endpoints) Ready(i int) int {
	for ; i < len(e.all)-1; i++ {
		if e.all[i].host.IsReady(transport.Brief(context.Background())) {
			break
		}
	}
	return i
}

// IsMirrored reports whether the repository has mirrors.
func (e *Endpoints) IsMirrored() bool { return len(e.mirrors) > 0 }

// Mirror returns the mirror that an endpoint is at, and "" for the repository itself.
func (e *Endpoints) Mirror(i int) string {
	if i >= len(e.mirrors) {
		return ""
	}
	return e.mirrors[i].String()
}

// Named makes an error of the i-th endpoint one of the repository itself.
func (e *Endpoints) Named(i int, err error) error {
	failed, is := errors.AsType[*Error](err)
	if !is || e.all[i] == e.own {
		return err
	}
	return &Error{Op: failed.Op, Reference: e.own.Name() + strings.TrimPrefix(failed.Reference, e.all[i].Name()), Err: e.atMirror(i, err)}
}

// asksItself reports whether the repository itself is one of the endpoints.
func (e *Endpoints) asksItself() bool { return e.all[len(e.all)-1] == e.own }

// Resolve returns the descriptor of a tag or digest, and the endpoint that has it.
func (e *Endpoints) Resolve(ctx context.Context, reference string) (desc ocispec.Descriptor, at int, err error) {
	at, err = e.ask(ctx, 0, func(ctx context.Context, r *Repository) (err error) {
		desc, err = r.Resolve(ctx, reference)
		return err
	})
	return desc, at, e.named(err, reference)
}

// FetchManifest returns the descriptor and the bytes of a tag or digest, and the endpoint that
// has it. accept returns an error for bytes that the caller cannot use; it may be nil.
func (e *Endpoints) FetchManifest(ctx context.Context, reference string, accept func(data []byte) error) (desc ocispec.Descriptor, data []byte, at int, err error) {
	at, err = e.ask(ctx, 0, func(ctx context.Context, r *Repository) (err error) {
		if desc, data, err = r.FetchManifest(ctx, reference); err == nil && accept != nil {
			err = accept(data)
		}
		if err != nil && len(data) > 0 {
			data = nil
			bounds.Leave(ctx) // the next request may wait for others
		}
		return err
	})
	return desc, data, at, e.named(err, reference)
}

// errNoBlob reports that an endpoint does not have a blob.
var errNoBlob = errors.New("no such blob")

// HasBlob reports whether an endpoint has a blob of this digest and size.
func (e *Endpoints) HasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	_, err := e.ask(ctx, 0, func(ctx context.Context, r *Repository) error {
		has, err := r.HasBlob(ctx, desc)
		if err == nil && !has {
			err = errNoBlob
		}
		return err
	})
	if errors.Is(err, errNoBlob) {
		return false, nil
	}
	return err == nil, e.named(err, desc.Digest.String())
}

// FetchBlob opens n bytes of a blob from off on, and returns the endpoint that sends them. It
// asks the endpoint first before the others.
func (e *Endpoints) FetchBlob(ctx context.Context, desc ocispec.Descriptor, off, n int64, first int) (body io.ReadCloser, at int, err error) {
	at, err = e.ask(ctx, first, func(ctx context.Context, r *Repository) (err error) {
		body, err = r.FetchBlob(ctx, desc, off, n)
		return err
	})
	return body, at, e.named(err, desc.Digest.String())
}

// lists returns the endpoints whose lists count.
func (e *Endpoints) lists() *Endpoints {
	if e.asksItself() {
		return Only(e.own)
	}
	return e
}

// Tags calls yield with all tags, page by page; start is called before the first page, again
// if another endpoint is asked.
func (e *Endpoints) Tags(ctx context.Context, start func(), yield func(tags []string) error) error {
	_, err := e.lists().ask(ctx, 0, func(ctx context.Context, r *Repository) error {
		start()
		return r.Tags(ctx, yield)
	})
	return e.named(err, "")
}

// FirstTags returns the first page of the tag list, and whether there are more.
func (e *Endpoints) FirstTags(ctx context.Context) (tags []string, more bool, err error) {
	_, err = e.lists().ask(ctx, 0, func(ctx context.Context, r *Repository) (err error) {
		tags, more, err = r.FirstTags(ctx)
		return err
	})
	return tags, more, e.named(err, "")
}
