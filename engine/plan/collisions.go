package plan

import (
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

// Collisions records the source of each target, to find two with one target.
type Collisions struct {
	mapper *config.Mapper
	mu     sync.Mutex // guards owners
	owners map[claimKey]*Artifact
}

// claimKey is a name that only artifacts of one digest may share.
type claimKey struct {
	kind string // source or target
	name string
}

// NewCollisions returns a Collisions that checks the targets of a mapper; nil checks only
// sources.
func NewCollisions(m *config.Mapper) *Collisions { return &Collisions{mapper: m} }

// Forget frees all claims, once there are no more artifacts.
func (c *Collisions) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owners = nil
}

// Claim records the name of an artifact and the target that the mappings give it. The error is
// an *engine.CollisionError.
func (c *Collisions) Claim(a *Artifact) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.claim(claimKey{"source", a.Name}, a); err != nil {
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
	return c.claim(claimKey{"target", repository + ":" + tag}, a)
}

func (c *Collisions) claim(key claimKey, by *Artifact) error {
	if c.owners == nil {
		c.owners = make(map[claimKey]*Artifact)
	}
	other, met := c.owners[key]
	if met && other.Root.Digest != by.Root.Digest {
		return &engine.CollisionError{Target: key.name, Sources: [2]string{other.Ref.String(), by.Ref.String()}}
	}
	c.owners[key] = by
	return nil
}
