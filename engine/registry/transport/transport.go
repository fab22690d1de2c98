// Package transport sends requests to the hosts of registries. A [Transport] keeps, for each
// [Host], one pool of connections, one limit, its accounts and its state. It retries transient
// errors, obeys Retry-After, and gives up a host that is down. A [Client] sends the requests of
// one repository with its tokens: whole documents, parts of files, and bodies that can be sent
// once.
//
// A request passes, from the outside in: authentication (oras-go's), redirects
// (net/http's), retries, the limit, the connection. No request waits for a back-off or for
// a rate while it holds a slot of a limit.
//
// It does not know what the URLs stand for: that is the concern of package registry.
package transport

import (
	"fmt"
	"net/url"

	"github.com/oras-mirror/oras-mirror/engine/registry/credentials"
)

// Transport reaches any number of hosts. It is safe for concurrent use.
type Transport struct{ shared }

// New returns a transport.
func New(o Options) *Transport {
	o = o.withDefaults()
	return &Transport{shared{options: o, slots: newSlots(o.Concurrency), stores: credentials.Stores{Files: o.CredentialFiles}}}
}

// Stats returns the number of requests by method and kind ("GET blob", "HEAD
// manifest", "GET token"), and under "retries" the number of retries among them.
func (t *Transport) Stats() map[string]int { return t.stats.counts() }

// Host returns the host at base, by the name that references have for it: docker.io is at
// https://registry-1.docker.io. The caller keeps it: each call returns another one. It is an
// error if a file of the settings cannot be read.
func (t *Transport) Host(name string, base *url.URL, s Settings) (*Host, error) {
	stores := &t.stores
	if len(s.CredentialFiles) > 0 {
		stores = &credentials.Stores{Files: s.CredentialFiles}
	}
	if err := stores.Load(); err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	tls, err := tlsConfig(s)
	if err != nil {
		return nil, err
	}
	return newHost(&t.shared, name, base, s, stores, tls), nil
}
