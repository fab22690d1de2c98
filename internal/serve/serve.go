// Package serve is a read-only registry over OCI layouts: GET and HEAD of the OCI
// distribution spec 1.1. It knows no flags and no terminal.
//
// Data flows one way:
//
//	inputs --open--> store.Layout --build--> table     [New], [Registry.Refresh]
//	request --find--> repository, tag --table--> digest --store--> bytes     [Handler]
//
// The table has the names, the digests and the subjects of 100,000 artifacts in a few
// megabytes; index.json itself is forgotten once it is built. Manifests and blobs are read
// from the inputs when they are asked for, and nothing is unpacked.
//
// What always holds:
//
//   - A manifest is hashed before it is sent.
//   - A member of a bundle is checked before a byte of it is sent, and the last MiB of a
//     blob is sent only once all of it was hashed, so that a damaged blob never arrives whole.
//   - A request that is under way ends on the inputs it began with, whatever replaces them.
//     Of an object that is replaced no byte is sent behind bytes of the former one.
//   - An input that cannot be reached has no effect on what clients believe: they are told to
//     come again, and nothing that was found out in that time is kept.
//   - Names and digests of a request are looked up in the table, or checked by their grammar;
//     before that none becomes a part of a file's path.
package serve

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// Options configure a registry. Inputs is required.
type Options struct {
	Inputs []store.Place // directories and archives, also in buckets, which are served as one
	// Mapper gives the names that a restore would give; nil drops the registry of a name.
	Mapper *config.Mapper
	// Repository is the repository of artifacts with a bare tag or no name. Its registry may
	// be empty; without a repository these are not served.
	Repository config.Reference
	// Check is called with each input before it is served, and hashes all of it; nil: each
	// blob is hashed when it is sent for the first time.
	Check func(ctx context.Context, path string, l store.Layout) (*verify.Result, error)
	// Notice is called with notes for the user; it may be nil.
	Notice func(text string)
}

// Registry answers from what its inputs hold now. It is safe for concurrent use.
type Registry struct {
	options Options

	refreshing sync.Mutex    // one reload at a time; guards the following fields
	failed     []store.State // of the inputs whose content could not be loaded last time; nil: none
	unreached  bool          // an input could not be reached last time

	mu      sync.Mutex // guards the following fields
	current *content
}

// UnnamedError reports that no artifact of the inputs has a repository in its name.
type UnnamedError struct{ Path string }

func (e *UnnamedError) Error() string {
	return e.Path + ": no artifact has a repository in its name"
}

// New opens the inputs.
func New(ctx context.Context, o Options) (*Registry, error) {
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Mapper == nil {
		var err error
		if o.Mapper, err = config.NewMapper(nil); err != nil {
			return nil, err
		}
	}
	r := &Registry{options: o}
	states, err := r.states(ctx)
	if err != nil { // then opening fails, too, after more tries; if not, the first Refresh loads again
		states = make([]store.State, len(o.Inputs))
	}
	c, err := r.load(ctx, states)
	if err != nil {
		return nil, err
	}
	r.replace(c)
	return r, nil
}

// Refresh loads the inputs again if one of them was replaced or has another index.json.
// If that fails the registry goes on with what it has. Call it every few seconds.
func (r *Registry) Refresh(ctx context.Context) {
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	r.refresh(ctx)
}

// refresh is Refresh for a caller that holds the lock.
func (r *Registry) refresh(ctx context.Context) {
	now, err := r.states(ctx)
	if err != nil {
		r.noteUnreached(ctx, err)
		return
	}
	c := r.acquire()
	same := !c.stale.Load() && sameStates(now, c.states)
	c.release()
	if same {
		r.failed = nil
	}
	if same || r.failed != nil && sameStates(now, r.failed) {
		r.unreached = false
		return
	}
	next, err := r.load(ctx, now)
	switch {
	case store.IsPassing(err): // the next Refresh tries again
		r.noteUnreached(ctx, err)
		return
	case err != nil:
		if ctx.Err() == nil {
			r.failed = now
			r.options.Notice(fmt.Sprintf("cannot load the changed input; the former one is still served: %v", err))
		}
		return
	}
	r.failed, r.unreached = nil, false
	r.replace(next)
	artifacts, repositories := next.table.size()
	r.options.Notice(fmt.Sprintf("the input has changed: now %s in %s", text.Count(artifacts, "artifact"), text.Count(repositories, "repository")))
}

// noteUnreached says once that an input cannot be reached.
func (r *Registry) noteUnreached(ctx context.Context, err error) {
	if ctx.Err() == nil && !r.unreached {
		r.unreached = true
		r.options.Notice(fmt.Sprintf("cannot look for changes; what was read before is still served: %v", err))
	}
}

// renew refreshes the inputs after one of them was found replaced in a content. It reports
// whether there is another content now.
func (r *Registry) renew(ctx context.Context, old *content) bool {
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	isOld := func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.current == old
	}
	if isOld() { // else another request has refreshed
		old.stale.Store(true)
		r.refresh(ctx)
	}
	return !isOld()
}

// Size returns the numbers of artifacts and repositories that are served.
func (r *Registry) Size() (artifacts, repositories int) {
	c := r.acquire()
	defer c.release()
	return c.table.size()
}

// Close closes the inputs once the requests that are under way have ended.
func (r *Registry) Close() { r.replace(nil) }

// replace makes next the content of new requests.
func (r *Registry) replace(next *content) {
	r.mu.Lock()
	old := r.current
	r.current = next
	r.mu.Unlock()
	if old != nil {
		old.release()
	}
}

// acquire returns the current content for one request, which releases it. After Close it
// is empty.
func (r *Registry) acquire() *content {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil {
		return &content{table: new(table)}
	}
	r.current.users.Add(1)
	return r.current
}

// load opens all inputs, which have these states, and builds the table.
func (r *Registry) load(ctx context.Context, states []store.State) (*content, error) {
	c := newContent()
	c.states = states
	if err := r.fill(ctx, c); err != nil {
		c.release()
		return nil, err
	}
	debug.FreeOSMemory() // such as that of index.json
	return c, nil
}

func (r *Registry) fill(ctx context.Context, c *content) error {
	b := newBuilder(r.options)
	members, inputs, err := r.open(ctx)
	if err != nil {
		return err // in the words of every command, where it is absent
	}
	c.inputs = inputs
	var indexes []*oci.Index
	for _, in := range c.inputs {
		indexes = append(indexes, in.layout.Index())
	}
	for i, replaced := range delta.Replaced(indexes) { // a base only lends its blobs to its delta
		if !replaced {
			b.addInput(members[i].Path, members[i].Layout)
		}
	}
	for _, in := range c.inputs {
		store.ForgetIndex(in.layout)
	}
	t, err := b.build()
	if err != nil {
		return err
	}
	c.table = t
	c.memory, err = t.account()
	return err
}
