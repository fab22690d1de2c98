package origin

import (
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
)

// answers records which mirror has answered for a root.
type answers struct {
	mu sync.Mutex
	by map[string]string // mirrors, by tag or digest; guarded by mu
}

// answered records the endpoint that has resolved a reference.
func (r *Remote) answered(ref config.Reference, at int, err error) {
	if err != nil || !r.repo.IsMirrored() {
		return
	}
	r.mirrors.mu.Lock()
	defer r.mirrors.mu.Unlock()
	if r.mirrors.by == nil {
		r.mirrors.by = make(map[string]string)
	}
	r.mirrors.by[target(ref)] = r.repo.Mirror(at)
}

// MirrorOf returns the mirror that has answered for a root of an origin, as REGISTRY[/PREFIX];
// "" if that was the registry itself.
func MirrorOf(o Origin, ref config.Reference) string {
	r, is := o.(*Remote)
	if !is || !r.repo.IsMirrored() {
		return ""
	}
	r.mirrors.mu.Lock()
	defer r.mirrors.mu.Unlock()
	return r.mirrors.by[target(ref)]
}
