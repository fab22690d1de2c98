package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// maxBrokenMounts bounds how many requests for a mount may end without an answer: one
// may have met a restart, and each of them may take as long as a registry may think.
const maxBrokenMounts = 2

// MountOrPush mounts a blob or, where that does not work, uploads it. A refusal
// that opens an upload is not wasted. A mount is asked for once: it only saves an
// upload, so nothing is worth waiting for.
func (r *Repository) MountOrPush(ctx context.Context, desc ocispec.Descriptor, from string, open func() (io.ReadCloser, error)) (mounted bool, err error) {
	s, mounted, err := r.mount(ctx, desc, from)
	if err != nil && (ctx.Err() != nil || permanent(err)) {
		return false, r.fail("mount", r.fullName(desc.Digest.String()), err)
	}
	if mounted {
		return true, nil
	}
	return false, r.fail("push", r.fullName(desc.Digest.String()), r.pushBlob(ctx, desc, s, open))
}

// mount asks for a mount. A session comes back where the registry opened an
// upload instead. A registry that fails over it is asked for no other mount in
// this run.
func (r *Repository) mount(ctx context.Context, desc ocispec.Descriptor, from string) (s *session, mounted bool, err error) {
	r.ExpectPush()
	if from == r.ref.Repository || r.host.noMounts.Load() || r.isMountRefused(from) {
		return nil, false, nil
	}
	resp, err := r.postMount(withoutRetry(ctx), desc, from)
	if err == nil {
		err = expect(resp, http.StatusCreated, http.StatusAccepted)
	}
	switch {
	case Status(err) >= http.StatusInternalServerError:
		r.host.noMounts.Store(true)
		return nil, false, nil
	case Status(err) != 0 || errors.Is(err, auth.ErrBasicCredentialNotFound):
		// The registry's no, or that of its token service to the other repository.
		r.markMountRefused(from)
		return nil, false, nil
	case err != nil:
		r.markMountRefused(from)
		if r.host.brokenMounts.Add(1) == maxBrokenMounts {
			r.host.noMounts.Store(true)
		}
		return nil, false, err
	case resp.StatusCode == http.StatusCreated:
		resp.Body.Close()
		return nil, true, nil
	}
	r.markMountRefused(from)
	if s, err = readSession(resp); err != nil {
		return nil, false, nil // an upload begins with a session of its own
	}
	return s, false, nil
}

func (r *Repository) postMount(ctx context.Context, desc ocispec.Descriptor, from string) (*http.Response, error) {
	if err := desc.Digest.Validate(); err != nil {
		return nil, err
	}
	other := registry.Reference{Registry: r.ref.Registry, Repository: from}
	ctx = auth.AppendRepositoryScope(ctx, other, auth.ActionPull)
	u := r.url("blobs", "uploads/")
	u.RawQuery = url.Values{"mount": {desc.Digest.String()}, "from": {from}}.Encode()
	req, err := r.request(ctx, http.MethodPost, u, nil)
	if err != nil {
		return nil, err
	}
	return r.do(req)
}

// DisableMounts ends mounts in this registry for the run: one that it granted
// brought no blob.
func (r *Repository) DisableMounts() { r.host.noMounts.Store(true) }

func (r *Repository) isMountRefused(from string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refusedMounts[from]
}

func (r *Repository) markMountRefused(from string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refusedMounts[from] = true
}
