package registry

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// Repository is one repository of one registry. It is safe for concurrent use. Its errors are
// of type *Error.
type Repository struct {
	host *host
	http *transport.Client  // sends the requests
	ref  registry.Reference // without tag or digest

	referrersAPI atomic.Int32 // an apiState

	mu            sync.Mutex      // guards refused
	refusedMounts map[string]bool // repositories from which a mount was refused
	lists         locks           // one list of referrers is completed at a time, by its subject
}

func newRepository(h *host, ref registry.Reference) *Repository {
	return &Repository{
		host:          h,
		http:          h.Client(ref.Repository),
		ref:           ref,
		refusedMounts: make(map[string]bool),
	}
}

// ExpectPush announces a push to the repository. Tokens then include that right from the
// first HEAD on, so that one serves all requests.
func (r *Repository) ExpectPush() { r.http.ExpectPush() }

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
	return r.host.Base().JoinPath(append([]string{"v2", r.ref.Repository}, path...)...)
}

func (r *Repository) blobURL(desc ocispec.Descriptor) (*url.URL, error) {
	if err := desc.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %q", err, desc.Digest)
	}
	return r.url("blobs", desc.Digest.String()), nil
}
