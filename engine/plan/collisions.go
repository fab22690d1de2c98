package plan

import (
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

// Collisions remembers which source took which target.
type Collisions struct {
	mapper *config.Mapper
	mu     sync.Mutex // guards taken
	taken  map[claimKey]*Artifact
}

// claimKey is what artifacts of one digest alone may have.
type claimKey struct {
	kind string // source or target
	name string
}

// NewCollisions checks targets by a mapper; nil checks sources alone.
func NewCollisions(m *config.Mapper) *Collisions { return &Collisions{mapper: m} }

// Forget lets go of all claims, once there are no more artifacts.
func (c *Collisions) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = nil
}

// Claim notes that the artifact goes where its name says, and where the
// mappings put it. The error is a *CollisionError.
func (c *Collisions) Claim(a *Artifact) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.take(claimKey{"source", a.Name}, a); err != nil {
		return err
	}
	if c.mapper == nil {
		return nil
	}
	repository, tag, ok, err := c.mapper.Map(a.Ref)
	if err != nil {
		return artifactError(a.Ref, "map", err)
	}
	if !ok || tag == "" {
		return nil
	}
	return c.take(claimKey{"target", repository + ":" + tag}, a)
}

func (c *Collisions) take(key claimKey, by *Artifact) error {
	if c.taken == nil {
		c.taken = make(map[claimKey]*Artifact)
	}
	other, met := c.taken[key]
	if met && other.Root.Digest != by.Root.Digest {
		return &engine.CollisionError{Target: key.name, Sources: [2]string{other.Ref.String(), by.Ref.String()}}
	}
	c.taken[key] = by
	return nil
}
