package content

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// statePatience bounds the wait for the state of one input.
const statePatience = 5 * time.Second

// states returns the states of all inputs. What is absent has the zero state.
func (o *Options) states(ctx context.Context) ([]store.State, error) {
	all := make([]store.State, len(o.Inputs))
	for i, place := range o.Inputs {
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

// load opens all inputs, which have these states, and builds the table.
func (o *Options) load(ctx context.Context, states []store.State) (*Snapshot, error) {
	s := newSnapshot()
	s.states = states
	if err := o.fill(ctx, s); err != nil {
		s.Release()
		return nil, err
	}
	debug.FreeOSMemory() // such as that of index.json
	return s, nil
}

func (o *Options) fill(ctx context.Context, s *Snapshot) error {
	b := newBuilder(*o)
	members, inputs, err := o.open(ctx)
	if err != nil {
		return err // in the words of every command, where it is absent
	}
	s.Inputs = inputs
	var indexes []*oci.Index
	for _, in := range s.Inputs {
		indexes = append(indexes, in.layout.Index())
	}
	for i, replaced := range delta.Replaced(indexes) { // a base only lends its blobs to its delta
		if !replaced {
			b.addInput(members[i].Path, members[i].Layout)
		}
	}
	for _, in := range s.Inputs {
		store.ForgetIndex(in.layout)
	}
	t, err := b.build()
	if err != nil {
		return err
	}
	s.table, s.scanner = t, newScanner(t, s.Inputs)
	s.memory, err = t.account()
	return err
}

// open opens the inputs, and checks them if the options say so. The parts of a bundle are one.
func (o *Options) open(ctx context.Context) ([]store.Member, []*Input, error) {
	began := time.Now()
	places := make(map[string]store.Place)
	var paths []string
	for _, place := range o.Inputs {
		places[place.String()] = place
		paths = append(paths, place.String())
	}
	all, faults, err := store.OpenMembers(paths, func(path string) (store.Layout, error) { return places[path].Open() })
	if err != nil {
		return nil, nil, err
	}
	for _, fault := range faults {
		o.Notice(fault.Error())
	}
	var inputs []*Input
	for _, m := range all {
		in := &Input{layout: m.Layout, Bases: strings.Join(m.Layout.Index().BaseNames(), ", ")}
		if err := o.check(ctx, m, in, began); err != nil {
			store.CloseMembers(all)
			return nil, nil, err
		}
		inputs = append(inputs, in)
	}
	return all, inputs, nil
}

// check hashes an input if the options say so.
func (o *Options) check(ctx context.Context, m store.Member, in *Input, began time.Time) error {
	if o.Check == nil {
		return nil
	}
	v, err := o.Check(ctx, m.Path, m.Layout)
	if err == nil && v.LeftOver == 0 { // else some blobs were not hashed
		in.verdicts.verified = began
	}
	return err
}
