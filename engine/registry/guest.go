package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// guests gets anonymous tokens from the registries that ours sends us on to:
// registry.k8s.io, say, has no content of its own, and what it points to may want a
// token from anybody. Our credentials do not go there.
type guests struct {
	host   *host
	direct http.RoundTripper // without guests

	mu      sync.Mutex // guards clients
	clients map[string]*guest
}

// guest is our account at one other registry.
type guest struct {
	client *auth.Client
	tokens *tokens // its cache
}

func newGuests(h *host, direct http.RoundTripper) *guests {
	return &guests{host: h, direct: direct, clients: make(map[string]*guest)}
}

// handles reports whether our registry sent us on with req to another registry.
func (g *guests) handles(req *http.Request) bool {
	return g != nil && req.Response != nil && !sameOrigin(req.URL, g.host.base) && !isUpgrade(g.host.base, req.URL) &&
		(req.Method == http.MethodGet || req.Method == http.MethodHead) &&
		strings.HasPrefix(req.URL.Path, "/v2/") && req.Header.Get("Authorization") == ""
}

// isUpgrade reports whether a registry asked over http sends us on to itself over https:
// it is the same to oras-go, credentials and all.
func isUpgrade(from, to *url.URL) bool {
	return from.Scheme == "http" && to.Scheme == "https" && strings.EqualFold(from.Hostname(), to.Hostname())
}

// RoundTrip sends a request, and if that needs a token once more with one. That it is
// turned away is an error, and no response: what our own registry thinks of our
// credential is another matter.
func (g *guests) RoundTrip(req *http.Request) (*http.Response, error) {
	guest := g.client(req)
	// The newest token of each repository is shown at once.
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

// explain leaves the URL out that oras-go puts before what went wrong: it may be
// signed.
func (g *guests) explain(req *http.Request, err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	return fmt.Errorf("%s: %w", req.URL.Host, challengeError(req.Context(), hideQuery(err)))
}

func (g *guests) client(req *http.Request) *guest {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := req.URL.Scheme + "://" + req.URL.Host
	if c, ok := g.clients[key]; ok {
		return c
	}
	tokens := newTokens(g.host.client.options.Retry.Now)
	c := &guest{tokens: tokens, client: &auth.Client{
		Client:               &http.Client{Transport: g.direct, CheckRedirect: tokenRedirects},
		Cache:                tokens,
		ClientID:             defaultUserAgent,
		BlockedRealmPrefixes: blockedRealms(g.host.base),
		Credential:           func(context.Context, string) (auth.Credential, error) { return auth.EmptyCredential, nil },
	}}
	g.clients[key] = c
	return c
}

// tokenRedirects follows the redirects of a token service. Those of a registry are
// for the client that was redirected to it.
func tokenRedirects(req *http.Request, via []*http.Request) error {
	if strings.HasPrefix(via[0].URL.Path, "/v2/") {
		return http.ErrUseLastResponse
	}
	return checkRedirect(req, via)
}

// repositoryIn returns the repository that a path of the API is about.
func repositoryIn(path string) string {
	path = strings.TrimPrefix(path, "/v2/")
	for _, noun := range []string{"/manifests/", "/blobs/", "/referrers/", "/tags/list"} {
		if i := strings.LastIndex(path, noun); i >= 0 {
			return path[:i]
		}
	}
	return path
}
