package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
)

// failing sends nothing and counts the requests.
type failing struct {
	err  error
	sent int
}

func (f *failing) RoundTrip(*http.Request) (*http.Response, error) {
	f.sent++
	return nil, f.err
}

// TestRegistryThatCannotBeReachedIsAskedOnce asks for many artifacts of it.
func TestRegistryThatCannotBeReachedIsAskedOnce(t *testing.T) {
	for name, err := range map[string]error{
		"unknown host":     &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "r.example", IsNotFound: true}},
		"no trust":         &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		"http, not https":  http.ErrSchemeMismatch,
		"certificate lost": &net.OpError{Op: "remote error", Err: tls.AlertError(116)},
	} {
		t.Run(name, func(t *testing.T) {
			client := newRegistries(newClock().options(t))
			network := &failing{err: err}
			for i := range 20 {
				r := open(t, client, "r.example", fmt.Sprintf("test/repo%d", i))
				for l := range lanes {
					r.host.http.Transport.(*retrier).next.(*sender).own[l] = network
				}
				_, got := r.Resolve(t.Context(), "v1")
				if !errors.Is(got, err) || !isType[*UnreachableError](got) {
					t.Errorf("got %v", got)
				}
				if whole, is := errors.AsType[*UnreachableError](got); !is || whole.Error() != "r.example: "+err.Error() {
					t.Errorf("of the registry: %v", whole)
				}
			}
			equal(t, "requests", network.sent, 1)
		})
	}
}
