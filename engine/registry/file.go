package registry

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// ReadFile passes a file of at most limit bytes to read as it arrives, and calls read again from
// the start if it breaks off. The host is reached like a registry of its name, but for the
// scheme, which is that of the URL. Its credentials are sent only if it is the host of from, the
// URL that the user gave: any other was named by that host. Its error is a [*Error].
func (c *Client) ReadFile(ctx context.Context, from, u *url.URL, limit int64, read func(io.Reader) error) error {
	r, err := c.fileHost(from, u)
	if err == nil {
		_, err = r.stream(withLane(ctx, download), u, nil, limit, func(_ *http.Response, body io.Reader) error { return read(body) })
	}
	return fileError(u, err)
}

// OpenFile opens a file. The caller must close it. A body that breaks off is an error of the
// reader.
func (c *Client) OpenFile(ctx context.Context, from, u *url.URL) (io.ReadCloser, error) {
	r, err := c.fileHost(from, u)
	if err != nil {
		return nil, fileError(u, err)
	}
	resp, err := r.get(withLane(ctx, download), http.MethodGet, u, nil, http.StatusOK)
	if err != nil {
		return nil, fileError(u, err)
	}
	return resp.Body, nil
}

// IsNoFile reports whether a host does not have a file. Object storage answers 403 to those who
// may not list.
func IsNoFile(err error) bool {
	switch Status(err) {
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		return true
	}
	return false
}

func fileError(u *url.URL, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: "fetch", Reference: u.Host + redacted(u).Path, Err: err}
}

// fileHost returns a repository without a name that stands for the host of a URL.
func (c *Client) fileHost(from, u *url.URL) (*Repository, error) {
	if from.Scheme == "https" && u.Scheme != "https" {
		return nil, ErrDowngrade
	}
	ref := registry.Reference{Registry: u.Host}
	c.mu.Lock()
	defer c.mu.Unlock()
	if sameOrigin(from, u) {
		if h, err := c.host(ref); err != nil || h.base.Scheme == u.Scheme && h.base.Host == u.Host {
			return newRepositoryOf(h, ref, err)
		}
	}
	key := u.Scheme + "://" + u.Host
	if !sameOrigin(from, u) {
		key = "named " + key
	}
	h, known := c.hosts[key]
	if !known {
		var err error
		if h, err = c.newFileHost(ref, u, sameOrigin(from, u)); err != nil {
			return nil, &SettingsError{u.Host, err}
		}
		c.hosts[key] = h
	}
	return newRepository(h, ref), nil
}

func newRepositoryOf(h *host, ref registry.Reference, err error) (*Repository, error) {
	if err != nil {
		return nil, &SettingsError{ref.Registry, err}
	}
	return newRepository(h, ref), nil
}

// newFileHost returns the state of a host that is reached by the scheme of a URL. One that is
// not trusted gets no credentials, no header and no client certificate.
func (c *Client) newFileHost(ref registry.Reference, u *url.URL, trusted bool) (*host, error) {
	s, err := c.options.Settings(ref.Registry)
	if err != nil {
		return nil, err
	}
	from, err := c.storesOf(s)
	if err != nil {
		return nil, err
	}
	if !trusted {
		s.Credential, s.Header, s.CertFile, s.KeyFile = &auth.Credential{}, nil, "", ""
	}
	plain := u.Scheme == "http"
	s.PlainHTTP = &plain
	h, err := newHost(c, ref, s, from)
	if err == nil {
		h.base.Host = u.Host // of Docker Hub's names, too
	}
	return h, err
}
