package restore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/oras-mirror/oras-mirror/engine"
)

// ledger records the outcome of each delivery, and reports an artifact once all of its
// deliveries have one.
type ledger struct {
	progress engine.Progress
	failFast bool
	dryRun   bool

	mu    sync.Mutex // guards whole and the deliveries' open
	whole int        // artifacts
}

// count counts the deliveries of each artifact that need an outcome: its own, and those
// that cosign attached to it. It tells the artifacts for which all have one.
func (l *ledger) count(all []*delivery) {
	for _, d := range all {
		if d.parent != nil {
			d.parent.open, d.open = d.parent.open+1+d.open, 0
		}
	}
	for _, d := range all {
		if d.parent != nil {
			continue
		}
		if d.open++; d.open == 0 {
			l.tell(d)
		}
	}
}

// record notes the outcome of a delivery: it is whole if err is nil. The error that it
// returns ends the run.
func (l *ledger) record(ctx context.Context, d *delivery, err error) error {
	d.err = err
	if err == nil {
		d.done = true
		l.noteOverwritten(d)
		if d.parent == nil {
			l.addWhole(1)
		}
		l.conclude(d)
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if isShort(err) && d.parent == nil { // it is in the target, without some of its referrers
		d.done = true
		l.addWhole(1)
	}
	l.conclude(d)
	if l.failFast {
		return err
	}
	return nil
}

// withdraw records that a delivery which was whole is not.
func (l *ledger) withdraw(d *delivery, why error) {
	d.done, d.err = false, why
	if d.parent == nil {
		l.addWhole(-1)
		l.tell(d)
	}
}

func (l *ledger) addWhole(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.whole += n
}

// conclude tells the outcome of an artifact if that of the delivery was the last of it.
func (l *ledger) conclude(d *delivery) {
	if d.parent != nil {
		d = d.parent
	}
	l.mu.Lock()
	d.open--
	last := d.open == 0
	l.mu.Unlock()
	if last {
		l.tell(d)
	}
}

func (l *ledger) tell(d *delivery) {
	if one := d.outcome(); one.Err == nil {
		l.progress.Finished(one)
	} else {
		l.progress.Failed(one)
	}
}

// noteOverwritten tells that a tag of cosign is overwritten: it has no line of its own.
func (l *ledger) noteOverwritten(d *delivery) {
	if d.parent == nil || !d.overwrote() {
		return
	}
	verb := "is"
	if l.dryRun {
		verb = "would be"
	}
	l.progress.Notice(fmt.Sprintf("%s %s overwritten, was %s", d.Destination(), verb, d.found.was))
}

// unfinished gives [engine.ErrUnfinished] to the deliveries that were not complete when the run
// ended, unless they failed.
func unfinished(ctx context.Context, all []*delivery) {
	for _, d := range all {
		if d.err == nil && !d.done || engine.Interrupted(ctx, d.err) {
			d.err = engine.ErrUnfinished
		}
	}
}

// isNothing reports whether err says that a run had nothing to do, or did nothing.
func isNothing(err error) bool {
	return errors.Is(err, engine.ErrNothing) || errors.Is(err, engine.ErrNoArtifact)
}
