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

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// maxBrokenMounts bounds the requests for a mount that end without a response: one may
// be due to a restart, and each of them may take the whole timeout.
const maxBrokenMounts = 2

// MountOrPush mounts a blob of another repository of the same registry (from is its
// path) or, if that fails, uploads it. If the registry opens an upload instead of
// mounting, the upload uses it. MountOrPush never retries a mount: it only saves an
// upload, which is not worth a wait.
func (r *Repository) MountOrPush(ctx context.Context, desc ocispec.Descriptor, from string, open func() (io.ReadCloser, error)) (mounted bool, err error) {
	s, mounted, err := r.mount(ctx, desc, from)
	if err != nil && (ctx.Err() != nil || transport.IsPermanent(err)) {
		return false, r.fail("mount", r.fullName(desc.Digest.String()), err)
	}
	if mounted {
		return true, nil
	}
	return false, r.fail("push", r.fullName(desc.Digest.String()), r.pushBlob(ctx, desc, s, open))
}

// mount requests a mount. It returns a session if the registry opened an upload
// instead. After a server error it disables mounts for the registry.
func (r *Repository) mount(ctx context.Context, desc ocispec.Descriptor, from string) (s *session, mounted bool, err error) {
	r.ExpectPush()
	if from == r.ref.Repository || r.host.noMounts.Load() || r.isMountRefused(from) {
		return nil, false, nil
	}
	resp, err := r.postMount(transport.WithoutRetry(ctx), desc, from)
	switch {
	case transport.Status(err) >= http.StatusInternalServerError:
		r.host.noMounts.Store(true)
		return nil, false, nil
	case transport.Status(err) != 0 || errors.Is(err, auth.ErrBasicCredentialNotFound):
		// The registry refuses, or its token service does for the other repository.
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
		return nil, false, nil // the upload opens its own session
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
	req, err := r.http.Request(ctx, http.MethodPost, u, nil)
	if err != nil {
		return nil, err
	}
	return r.http.Send(req, http.StatusCreated, http.StatusAccepted)
}

// DisableMounts disables mounts in this registry. The caller has found that one mounted no
// blob.
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
