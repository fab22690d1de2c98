package restore

import (
	"context"
	"sync/atomic"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// uploadKey names one blob on its way to one registry.
type uploadKey struct {
	registry string
	digest   digest.Digest
	size     int64
}

// upload is one blob that one registry lacks, wherever in it the blob is needed: it is
// sent to the first recipient and mounted from there into the others.
type upload struct {
	uploadKey
	blob       content.Descriptor
	recipients []*recipient // never empty
}

// recipient is a repository that needs a blob, with the deliveries that wait for it
// there.
type recipient struct {
	repo    *registry.Repository
	to      target
	path    string
	waiting []*delivery
	fresh   bool        // nothing is there yet
	mounted atomic.Bool // the registry says so
	sending headway.Sending
	err     error
}

// has reports whether a recipient has a blob, without asking where it cannot.
func (to *recipient) has(ctx context.Context, b content.Descriptor) (bool, error) {
	if to.fresh {
		return false, nil
	}
	return to.repo.HasBlob(ctx, b.OCI())
}

// name returns the full name of the repository.
func (to *recipient) name(of *upload) string { return of.registry + "/" + to.path }
