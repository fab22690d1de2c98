package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Repository is one repository of one registry. It is safe for concurrent use. Its errors are
// of type *Error.
type Repository struct {
	host    *host
	account *account
	ref     registry.Reference // without tag or digest

	withPush     atomic.Bool  // tokens include the right to push
	referrersAPI atomic.Int32 // an apiState

	mu            sync.Mutex      // guards refused
	refusedMounts map[string]bool // repositories from which a mount was refused
	lists         locks           // one list of referrers is completed at a time, by its subject
}

func newRepository(h *host, ref registry.Reference) *Repository {
	return &Repository{
		host:          h,
		account:       h.account(ref.Repository),
		ref:           ref,
		refusedMounts: make(map[string]bool),
	}
}

// ExpectPush announces a push to the repository. Tokens then include that right from the
// first HEAD on, so that one serves all requests.
func (r *Repository) ExpectPush() { r.withPush.Store(true) }

// Name returns registry/repository.
func (r *Repository) Name() string { return r.ref.Registry + "/" + r.ref.Repository }

// fullName returns the repository's name with a tag or a digest.
func (r *Repository) fullName(reference string) string {
	if strings.Contains(reference, ":") {
		return r.Name() + "@" + reference
	}
	return r.Name() + ":" + reference
}

// fail wraps err in an Error. It returns nil for a nil err.
func (r *Repository) fail(op, reference string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Reference: reference, Err: err}
}

func (r *Repository) manifestURL(reference string) (*url.URL, error) {
	ref := r.ref
	ref.Reference = reference
	if err := ref.ValidateReference(); err != nil || reference == "" {
		return nil, fmt.Errorf("%w: %q is not a tag or digest", errdef.ErrInvalidReference, reference)
	}
	return r.url("manifests", reference), nil
}

// url returns the URL of an endpoint of the repository.
func (r *Repository) url(path ...string) *url.URL {
	return r.host.base.JoinPath(append([]string{"v2", r.ref.Repository}, path...)...)
}

func (r *Repository) blobURL(desc ocispec.Descriptor) (*url.URL, error) {
	if err := desc.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %q", err, desc.Digest)
	}
	return r.url("blobs", desc.Digest.String()), nil
}

// request creates a request whose token is for this repository.
func (r *Repository) request(ctx context.Context, method string, u *url.URL, body io.Reader) (*http.Request, error) {
	actions := []string{auth.ActionPull}
	if r.withPush.Load() {
		actions = append(actions, auth.ActionPush)
	}
	ctx = withChallenge(r.account.tokens.withShownToken(ctx))
	if r.ref.Repository == "" {
		ctx = auth.AppendScopesForHost(ctx, r.ref.Host(), auth.ScopeRegistryCatalog)
	} else {
		ctx = auth.AppendRepositoryScope(ctx, r.ref, actions...)
	}
	return http.NewRequestWithContext(ctx, method, u.String(), body)
}

// do authenticates a request and sends it. The body of the response holds a slot of the
// limits until it is closed.
func (r *Repository) do(req *http.Request) (*http.Response, error) {
	tokens := r.account.tokens
	for renewals := 0; ; renewals++ {
		resp, err := r.account.client.Do(req)
		again, err := r.account.observe(req.Context(), resp, err)
		if err != nil {
			return nil, r.explain(challengeError(req.Context(), hideQuery(err)))
		}
		if resp.StatusCode != http.StatusUnauthorized {
			tokens.accepted(req.Context())
			return resp, nil
		}
		again = again || renewals < maxRenewals && tokens.mayHaveExpired(req.Context())
		if !again || !canRewind(req) {
			return resp, nil
		}
		drain(resp)
		if req, err = rewind(req); err != nil {
			return nil, err
		}
	}
}

// get sends a request without a body. It returns an error for any other status.
func (r *Repository) get(ctx context.Context, method string, u *url.URL, accept []string, statuses ...int) (*http.Response, error) {
	req, err := r.request(ctx, method, u, nil)
	if err != nil {
		return nil, err
	}
	if len(accept) > 0 {
		req.Header.Set("Accept", strings.Join(accept, ", "))
	}
	resp, err := r.do(req)
	if err != nil {
		return nil, err
	}
	if err := expect(resp, statuses...); err != nil {
		return nil, r.explain(err)
	}
	return resp, nil
}

// read fetches a whole document and closes its response. It retries one that breaks off.
func (r *Repository) read(ctx context.Context, u *url.URL, accept []string, limit int64) (*http.Response, []byte, error) {
	var data []byte
	resp, err := r.stream(ctx, u, accept, limit, func(_ *http.Response, body io.Reader) (err error) {
		data, err = readAll(ctx, body)
		return err
	})
	return resp, data, err
}

// stream fetches a document of at most limit bytes, passes it to decode as it arrives, and
// closes its response. It retries one that breaks off, and calls decode again from the
// start.
func (r *Repository) stream(ctx context.Context, u *url.URL, accept []string, limit int64, decode func(resp *http.Response, body io.Reader) error) (*http.Response, error) {
	since := r.host.health.retry.Now()
	for try := 1; ; try++ {
		resp, err := r.get(ctx, http.MethodGet, u, accept, http.StatusOK)
		if err != nil {
			return nil, err
		}
		body := &limitedBody{Reader: resp.Body, limit: limit, left: limit}
		if resp.ContentLength > limit {
			err = fmt.Errorf("%w: %d bytes, the maximum is %d", errdef.ErrSizeExceedsLimit, resp.ContentLength, limit)
		} else {
			err = decode(resp, body)
		}
		resp.Body.Close()
		if err == nil || body.broken == nil || ctx.Err() != nil {
			return resp, err
		}
		bounds.Leave(ctx) // the next request may wait for others
		if err := r.host.health.wait(ctx, try, since, body.broken); err != nil {
			return nil, err
		}
	}
}

// explain adds to an unauthorized error the reason why there was no credential.
func (r *Repository) explain(err error) error {
	if trouble := r.account.lookUpError(); trouble != nil && isUnauthorized(err) {
		return fmt.Errorf("%w (%w)", err, &CredentialError{Registry: r.host.name, Err: trouble})
	}
	return err
}
