package transport

import (
	"fmt"
	"net/http"
)

// maxRedirects is the limit of net/http, which a CheckRedirect replaces.
const maxRedirects = 10

// checkRedirect removes the Authorization header from redirects to other hosts, and refuses
// those from https to http. oras-go does the first, too, for the requests that it
// authenticates; uploads are authenticated here.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return fmt.Errorf("stopped after %d redirects", maxRedirects)
	}
	first := via[0].URL
	if first.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w: redirected to %s", ErrDowngrade, req.URL.Host)
	}
	// net/http builds each hop's headers from the first request, so a chain that comes
	// back to the registry would get them again.
	left := !SameOrigin(first, req.URL)
	for _, v := range via[1:] {
		left = left || !SameOrigin(first, v.URL)
	}
	if left {
		req.Header.Del("Authorization")
	}
	return nil
}
