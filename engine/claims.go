package engine

import (
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
)

// collisions remembers which source took which target.
type collisions struct {
	mapper *config.Mapper
	mu     sync.Mutex // guards taken
	taken  map[claimKey]*artifact
}

// claimKey is what artifacts of one digest alone may have.
type claimKey struct {
	kind string // source or target
	name string
}

func newCollisions(m *config.Mapper) *collisions { return &collisions{mapper: m} }

// forget lets go of all claims, once there are no more artifacts.
func (c *collisions) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = nil
}

// claim notes that the artifact goes where its name says, and where the
// mappings put it. The error is a *CollisionError.
func (c *collisions) claim(a *artifact) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.take(claimKey{"source", a.name}, a); err != nil {
		return err
	}
	if c.mapper == nil {
		return nil
	}
	repository, tag, ok, err := c.mapper.Map(a.ref)
	if err != nil {
		return artifactError(a.ref, "map", err)
	}
	if !ok || tag == "" {
		return nil
	}
	return c.take(claimKey{"target", repository + ":" + tag}, a)
}

func (c *collisions) take(key claimKey, by *artifact) error {
	if c.taken == nil {
		c.taken = make(map[claimKey]*artifact)
	}
	other, met := c.taken[key]
	if met && other.root.digest != by.root.digest {
		return &CollisionError{Target: key.name, Sources: [2]string{other.ref.String(), by.ref.String()}}
	}
	c.taken[key] = by
	return nil
}

// artifactError adds the reference where err does not bear one.
func artifactError(ref config.Reference, op string, err error) error {
	return &ArtifactError{Reference: ref.String(), Op: op, Err: err}
}
