package transport

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// guests gets anonymous tokens for the registries that a registry redirects to:
// registry.k8s.io, for example, has no content of its own, and the registries behind it
// may require a token from every client. They never get the credentials.
type guests struct {
	base   *url.URL // of the registry that redirects
	now    func() time.Time
	direct http.RoundTripper // without guests

	mu      sync.Mutex // guards clients
	clients map[string]*guest
}

// guest is the anonymous account at one other registry.
type guest struct {
	client *auth.Client
	tokens *tokens // its cache
}

func newGuests(base *url.URL, now func() time.Time, direct http.RoundTripper) *guests {
	return &guests{base: base, now: now, direct: direct, clients: make(map[string]*guest)}
}

// handles reports whether req is a redirect of the registry to another registry.
func (g *guests) handles(req *http.Request) bool {
	return g != nil && req.Response != nil && !SameOrigin(req.URL, g.base) && !isUpgrade(g.base, req.URL) &&
		(req.Method == http.MethodGet || req.Method == http.MethodHead) &&
		strings.HasPrefix(req.URL.Path, "/v2/") && req.Header.Get("Authorization") == ""
}

// isUpgrade reports whether a registry redirects from http to https on the same host:
// oras-go treats it as the same registry, and sends it the credentials.
func isUpgrade(from, to *url.URL) bool {
	return from.Scheme == "http" && to.Scheme == "https" && strings.EqualFold(from.Hostname(), to.Hostname())
}

// RoundTrip sends a request, and again with a token if it needs one. It returns a 401
// as an error and not as a response: the caller would take it for the answer of its own
// registry to its credential.
func (g *guests) RoundTrip(req *http.Request) (*http.Response, error) {
	guest := g.client(req)
	// The newest token of each repository is sent with the first request.
	there := registry.Reference{Registry: req.URL.Host, Repository: repositoryIn(req.URL.Path)}
	ctx := auth.AppendRepositoryScope(guest.tokens.withShownToken(req.Context()), there, auth.ActionPull)
	resp, err := guest.client.Do(req.WithContext(ctx))
	switch {
	case req.Context().Err() != nil:
		return resp, err
	case err != nil:
		return nil, g.explain(req, err)
	case resp.StatusCode == http.StatusUnauthorized:
		return nil, responseError(resp)
	}
	return resp, nil
}

// explain removes the URL that oras-go puts before an error: it may be signed.
func (g *guests) explain(req *http.Request, err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	return fmt.Errorf("%s: %w", req.URL.Host, challengeError(req.Context(), hideQuery(err)))
}

// client returns the account for the registry of req.
func (g *guests) client(req *http.Request) *guest {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := req.URL.Scheme + "://" + req.URL.Host
	if c, ok := g.clients[key]; ok {
		return c
	}
	tokens := newTokens(g.now)
	direct := &http.Client{Transport: g.direct, CheckRedirect: tokenRedirects}
	c := &guest{tokens: tokens, client: authClient(direct, g.base, tokens, nil)}
	g.clients[key] = c
	return c
}

// tokenRedirects follows the redirects of a token service. Those of a registry are left
// to the client that made the first request.
func tokenRedirects(req *http.Request, via []*http.Request) error {
	if strings.HasPrefix(via[0].URL.Path, "/v2/") {
		return http.ErrUseLastResponse
	}
	return checkRedirect(req, via)
}

// repositoryIn returns the repository in a path of the API.
func repositoryIn(path string) string {
	path = strings.TrimPrefix(path, "/v2/")
	for _, noun := range []string{"/manifests/", "/blobs/", "/referrers/", "/tags/list"} {
		if i := strings.LastIndex(path, noun); i >= 0 {
			return path[:i]
		}
	}
	return path
}
