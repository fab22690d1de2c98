// Package content has what is served: the inputs as they are now, the names in them, and what
// refers to what. It knows neither requests nor responses.
//
// Data flows one way:
//
//	inputs --open--> store.Layout --build--> table     [Open], [Inputs.Refresh]
//	name, tag --find--> table --> digest --store--> bytes     [Snapshot]
//
// The table has the names, the digests and the subjects of 100,000 artifacts in a few
// megabytes; index.json itself is forgotten once it is built. Manifests and blobs are read
// from the inputs when they are asked for, and nothing is unpacked.
//
// What always holds:
//
//   - The bytes of a manifest are hashed. Those of a blob are not: its reader hashes them, and
//     the verdict is kept.
//   - A snapshot stays as it is, whatever replaces its inputs. No byte of an object that is
//     replaced is read behind bytes of the former one.
//   - An input that cannot be reached is an error of its own, and nothing that was found out in
//     that time is kept.
package content

import (
	"context"
	"fmt"
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
)

// Inputs are the layouts that are served, as they are now. They are safe for concurrent use.
type Inputs struct {
	options Options

	refreshing sync.Mutex    // one reload at a time; guards the following fields
	failed     []store.State // of the inputs whose content could not be loaded last time; nil: none
	unreached  bool          // an input could not be reached last time

	mu      sync.Mutex // guards the following fields
	current *Snapshot
}

// Open opens the inputs.
func Open(ctx context.Context, o Options) (*Inputs, error) {
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Mapper == nil {
		var err error
		if o.Mapper, err = config.NewMapper(nil); err != nil {
			return nil, err
		}
	}
	in := &Inputs{options: o}
	states, err := o.states(ctx)
	if err != nil { // then opening fails, too, after more tries; if not, the first Refresh loads again
		states = make([]store.State, len(o.Inputs))
	}
	s, err := o.load(ctx, states)
	if err != nil {
		return nil, err
	}
	in.replace(s)
	return in, nil
}

// Refresh loads the inputs again if one of them was replaced or has another index.json.
// If that fails, what was read before is still served. Call it every few seconds.
func (in *Inputs) Refresh(ctx context.Context) {
	in.refreshing.Lock()
	defer in.refreshing.Unlock()
	in.refresh(ctx)
}

// refresh is Refresh for a caller that holds the lock.
func (in *Inputs) refresh(ctx context.Context) {
	now, err := in.options.states(ctx)
	if err != nil {
		in.noteUnreached(ctx, err)
		return
	}
	s := in.Acquire()
	same := !s.stale.Load() && sameStates(now, s.states)
	s.Release()
	if same {
		in.failed = nil
	}
	if same || in.failed != nil && sameStates(now, in.failed) {
		in.unreached = false
		return
	}
	next, err := in.options.load(ctx, now)
	switch {
	case store.IsPassing(err): // the next Refresh tries again
		in.noteUnreached(ctx, err)
		return
	case err != nil:
		if ctx.Err() == nil {
			in.failed = now
			in.options.Notice(fmt.Sprintf("cannot load the changed input; the former one is still served: %v", err))
		}
		return
	}
	in.failed, in.unreached = nil, false
	in.replace(next)
	artifacts, repositories := next.table.size()
	in.options.Notice(fmt.Sprintf("the input has changed: now %s in %s", text.Count(artifacts, "artifact"), text.Count(repositories, "repository")))
}

// noteUnreached says once that an input cannot be reached.
func (in *Inputs) noteUnreached(ctx context.Context, err error) {
	if ctx.Err() == nil && !in.unreached {
		in.unreached = true
		in.options.Notice(fmt.Sprintf("cannot look for changes; what was read before is still served: %v", err))
	}
}

// Renew refreshes the inputs after one of them was found replaced in a snapshot. It reports
// whether there is another snapshot now.
func (in *Inputs) Renew(ctx context.Context, old *Snapshot) bool {
	in.refreshing.Lock()
	defer in.refreshing.Unlock()
	isOld := func() bool {
		in.mu.Lock()
		defer in.mu.Unlock()
		return in.current == old
	}
	if isOld() { // else another request has refreshed
		old.stale.Store(true)
		in.refresh(ctx)
	}
	return !isOld()
}

// Size returns the numbers of artifacts and repositories that are served.
func (in *Inputs) Size() (artifacts, repositories int) {
	s := in.Acquire()
	defer s.Release()
	return s.table.size()
}

// Close closes the inputs once the requests that are under way have ended.
func (in *Inputs) Close() { in.replace(nil) }

// replace makes next the snapshot of new requests.
func (in *Inputs) replace(next *Snapshot) {
	in.mu.Lock()
	old := in.current
	in.current = next
	in.mu.Unlock()
	if old != nil {
		old.Release()
	}
}

// Acquire returns the current snapshot for one request, which releases it. After Close it
// is empty.
func (in *Inputs) Acquire() *Snapshot {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.current == nil {
		return newSnapshot()
	}
	in.current.users.Add(1)
	return in.current
}
