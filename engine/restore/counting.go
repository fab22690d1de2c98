package restore

import (
	"context"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// counts holds the requests that a restore would send to the source and the targets of a
// forecast.
type counts struct {
	client *registry.Client

	mu       sync.Mutex // guards requests, blobs and probed
	requests int
	blobs    int                  // that would be pushed
	probed   map[string]bool      // registries that would have been asked whether they check digests
	fetched  map[content.Key]bool // blobs that would have been fetched for all targets
}

func (c *counts) add(requests int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests += requests
}

// counting stands in for a repository in a forecast: it takes everything, sends nothing
// and counts the requests that would be sent.
type counting struct {
	repo     *registry.Repository
	registry string
	counts   *counts
}

// pushBlob counts the POST and the PUT of a blob.
func (c *counting) pushBlob(_ context.Context, b content.Descriptor, from body) error {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	c.counts.requests += 2
	c.counts.blobs++
	if !from.shared || !c.counts.fetched[b.Key()] {
		c.counts.requests += from.requests
		c.counts.fetched[b.Key()] = from.shared
	}
	if from.probes && !c.counts.probed[c.registry] {
		c.counts.probed[c.registry] = true
		c.counts.requests += registry.ProbeRequests
	}
	return nil
}

func (c *counting) mountBlob(context.Context, content.Descriptor, string, body) (bool, error) {
	c.counts.add(1)
	return true, nil
}

func (c *counting) pushManifest(context.Context, content.Descriptor, func(context.Context) ([]byte, error), string) error {
	c.counts.add(1)
	return nil
}

// offerBlob counts the GET and the PUT of a blob.
func (c *counting) offerBlob(context.Context, content.Descriptor) error {
	c.counts.add(2)
	return nil
}

// listReferrers counts the requests that complete a list of referrers: to read it, and
// where the target has no referrers API to put it and to read it again. A run that
// pushes learns from the answer to a push that there is the API; a forecast asks.
func (c *counting) listReferrers(ctx context.Context, _ list, _ describer, _ func(ocispec.Descriptor) error) error {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	before := headway.Requests(c.counts.client)
	api, err := c.repo.ReferrersAPI(ctx)
	if api {
		c.counts.requests -= headway.Requests(c.counts.client) - before
		c.counts.requests++
	} else {
		c.counts.requests += 3
	}
	return err
}
