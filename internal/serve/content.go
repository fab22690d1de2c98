package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// content is one state of the inputs, from when they were opened.
type content struct {
	states []store.State
	inputs []*input
	table  *table
	memory int64 // accounted for the table

	users atomic.Int64 // requests, and the registry while it is the current one
	stale atomic.Bool  // a read found an input replaced, whatever its state: it was opened after that was asked for

	mu      sync.Mutex // guards scanned
	scanned map[int32]*scan
}

func newContent() *content {
	c := &content{scanned: make(map[int32]*scan)}
	c.users.Store(1)
	return c
}

// release closes the inputs after the last user.
func (c *content) release() {
	if c.users.Add(-1) > 0 {
		return
	}
	for _, in := range c.inputs {
		_ = in.layout.Close() // it was only read
	}
	bounds.Give(c.memory)
}

// input is one layout.
type input struct {
	layout   store.Layout
	verified time.Time // all blobs that are older were hashed; zero: none
	verdicts verdicts
	base     string // of a delta: the names of the bases, which have the other blobs
}

// open opens the inputs, and checks them if the options say so. The parts of a bundle are one.
func (r *Registry) open(ctx context.Context) ([]store.Member, []*input, error) {
	began := time.Now()
	places := make(map[string]store.Place)
	var paths []string
	for _, place := range r.options.Inputs {
		places[place.String()] = place
		paths = append(paths, place.String())
	}
	all, faults, err := store.OpenMembers(paths, func(path string) (store.Layout, error) { return places[path].Open() })
	if err != nil {
		return nil, nil, err
	}
	for _, fault := range faults {
		r.options.Notice(fault.Error())
	}
	var inputs []*input
	for _, m := range all {
		in := &input{layout: m.Layout, base: strings.Join(m.Layout.Index().BaseNames(), ", ")}
		if err := r.check(ctx, m, in, began); err != nil {
			store.CloseMembers(all)
			return nil, nil, err
		}
		inputs = append(inputs, in)
	}
	return all, inputs, nil
}

// check hashes an input if the options say so.
func (r *Registry) check(ctx context.Context, m store.Member, in *input, began time.Time) error {
	if r.options.Check == nil {
		return nil
	}
	v, err := r.options.Check(ctx, m.Path, m.Layout)
	if err == nil && v.LeftOver == 0 { // else some blobs were not hashed
		in.verified = began
	}
	return err
}

// statePatience bounds the wait for the state of one input.
const statePatience = 5 * time.Second

// states returns the states of all inputs. What is absent has the zero state.
func (r *Registry) states(ctx context.Context) ([]store.State, error) {
	all := make([]store.State, len(r.options.Inputs))
	for i, place := range r.options.Inputs {
		patient, end := context.WithTimeout(ctx, statePatience)
		state, err := place.Poll(patient)
		end()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		all[i] = state
	}
	return all, nil
}

func sameStates(a, b []store.State) bool { return slices.EqualFunc(a, b, store.State.Same) }

// leave completes the message about a blob that an input lacks: a delta leaves blobs to its base.
func (in *input) leave(d digest.Digest, message string) string {
	if in.base == "" {
		return message
	}
	return fmt.Sprintf("no blob %s: a delta leaves blobs to %s: serve that, too, with another --input", d, in.base)
}
