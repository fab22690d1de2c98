package registry

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// ReadFile passes a file of at most limit bytes to read as it arrives, and calls read again from
// the start if it breaks off. The host is reached like a registry of its name, but for the
// scheme, which is that of the URL. Its credentials are sent only if it is the host of from, the
// URL that the user gave: any other was named by that host. Its error is a [*Error].
func (c *Client) ReadFile(ctx context.Context, from, u *url.URL, limit int64, read func(io.Reader) error) error {
	client, err := c.fileHost(from, u)
	if err == nil {
		_, err = client.Stream(transport.Bulk(ctx), u, nil, limit, func(_ *http.Response, body io.Reader) error { return read(body) })
	}
	return fileError(u, err)
}

// OpenFile opens a file. The caller must close it. A body that breaks off is an error of the
// reader.
func (c *Client) OpenFile(ctx context.Context, from, u *url.URL) (io.ReadCloser, error) {
	client, err := c.fileHost(from, u)
	if err != nil {
		return nil, fileError(u, err)
	}
	resp, err := client.Get(transport.Bulk(ctx), http.MethodGet, u, nil, http.StatusOK)
	if err != nil {
		return nil, fileError(u, err)
	}
	return resp.Body, nil
}

// IsNoFile reports whether a host does not have a file. Object storage answers 403 to those who
// may not list.
func IsNoFile(err error) bool {
	switch transport.Status(err) {
	case http.StatusNotFound, http.StatusGone, http.StatusForbidden:
		return true
	}
	return false
}

func fileError(u *url.URL, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: "fetch", Reference: u.Host + transport.Redacted(u).Path, Err: err}
}

// fileHost returns a client of the host of a URL.
func (c *Client) fileHost(from, u *url.URL) (*transport.Client, error) {
	if from.Scheme == "https" && u.Scheme != "https" {
		return nil, transport.ErrDowngrade
	}
	trusted := transport.SameOrigin(from, u)
	c.mu.Lock()
	defer c.mu.Unlock()
	if trusted {
		h, err := c.host(registry.Reference{Registry: u.Host})
		if err != nil {
			return nil, &SettingsError{u.Host, err}
		}
		if base := h.Base(); base.Scheme == u.Scheme && base.Host == u.Host {
			return h.Client(""), nil
		}
	}
	key := u.Scheme + "://" + u.Host
	if !trusted {
		key = "named " + key
	}
	h, known := c.hosts[key]
	if !known {
		var err error
		if h, err = c.newFileHost(u, trusted); err != nil {
			return nil, &SettingsError{u.Host, err}
		}
		c.hosts[key] = h
	}
	return h.Client(""), nil
}

// newFileHost returns the state of a host that is reached by the scheme of a URL. One that is
// not trusted gets no credentials, no header and no client certificate.
func (c *Client) newFileHost(u *url.URL, trusted bool) (*host, error) {
	s, err := c.options.Settings(u.Host)
	if err != nil {
		return nil, err
	}
	if !trusted {
		s.Credential, s.Header, s.CertFile, s.KeyFile = &auth.Credential{}, nil, "", ""
	}
	return newHost(c, u.Host, &url.URL{Scheme: u.Scheme, Host: u.Host}, s)
}
