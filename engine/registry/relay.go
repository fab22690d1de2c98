package registry

import (
	"context"
	"io"
	"net/http"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// Relayed marks a reader, or one inside it by Unwrap, whose bytes come over the network
// while they are uploaded. Its upload takes no slot: Relay took one for both. It waits for
// the registry to accept the request before it reads, so that a rejected upload downloads
// nothing.
type Relayed interface {
	io.ReadCloser
	Relayed()
}

// Relay takes the slots of a transfer from r to another repository at once: one at each
// of the two registries, one where they are the same, and one of all registries. Requests
// in the context that it returns take no slots of their own. Until the caller calls
// release it must not wait for memory or for other slots.
func (r *Repository) Relay(ctx context.Context, to *Repository) (relay context.Context, release func(), err error) {
	return transport.Relay(ctx, r.host.Host, to.host.Host)
}

// TryRelay takes a slot for one request to r if one is free now.
func (r *Repository) TryRelay(ctx context.Context) (relay context.Context, release func(), ok bool) {
	return r.host.TryRelay(ctx)
}

// innermost returns the reader inside body that unwraps no further.
func innermost(body io.ReadCloser) io.ReadCloser {
	for {
		outer, ok := body.(interface{ Unwrap() io.ReadCloser })
		if !ok {
			return body
		}
		body = outer.Unwrap()
	}
}

// relayHeader returns the header of a request with a body. That of a relayed one waits for
// the registry to accept the request (RFC 9110, section 10.1.1).
func relayHeader(body io.ReadCloser) http.Header {
	if _, ok := innermost(body).(Relayed); ok {
		return expectContinue
	}
	return nil
}

var expectContinue = http.Header{"Expect": {"100-continue"}}
