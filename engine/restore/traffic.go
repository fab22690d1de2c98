package restore

import (
	"sync"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// traffic counts the bytes that the registries of the targets took, whether the artifacts
// became whole or not.
type traffic struct {
	mu       sync.Mutex // guards bytes and accepted
	bytes    int64
	accepted map[sentKey]bool
}

// sentKey identifies a manifest or a blob that a registry took.
type sentKey struct {
	registry string
	digest   digest.Digest
}

func newTraffic() *traffic { return &traffic{accepted: make(map[sentKey]bool)} }

func (t *traffic) add(registry string, part content.Descriptor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes = bounds.Sum(t.bytes, part.Size)
	t.accepted[sentKey{registry, part.Digest}] = true
}
