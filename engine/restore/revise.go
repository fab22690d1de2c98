package restore

import (
	"context"
	"maps"
	"slices"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore/source"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// revise restores the source as its end corrected it, when all of its blobs are in the targets.
// Deliveries that are done stay done, unless they were withdrawn; an artifact that is listed
// for the first time came too late.
func (r *run) revise(ctx context.Context, revised source.Source) error {
	last := make(map[source.Key]bool)
	for _, root := range revised.Roots() {
		last[source.KeyOf(root)] = true
	}
	told := make(map[string]bool)
	r.all = slices.DeleteFunc(r.all, func(d *delivery) bool { return !d.done && d.err == nil })
	for _, d := range r.all {
		told[d.Name+"\x00"+d.Destination()] = true
		if d.done && !last[source.KeyOf(*d.From)] {
			r.ledger.withdraw(d, engine.ErrWithdrawn)
		}
	}
	o := r.RestoreOptions
	o.Progress = secondLook{r.Progress}
	o.Retry = func(reference, target string) bool {
		return !told[reference+"\x00"+target] && (r.Retry == nil || r.Retry(reference, target))
	}
	second := newRun(r.survey.client, o)
	err := second.run(ctx, revised)
	r.sent.bytes = bounds.Sum(r.sent.bytes, second.sent.bytes)
	maps.Copy(r.sent.accepted, second.sent.accepted)
	r.ledger.addWhole(second.ledger.whole)
	r.all = append(r.all, second.all...)
	if len(r.all) > 0 && isNothing(err) {
		err = nil // the first run decides whether nothing is whole
	}
	return err
}

// secondLook is the progress of a second look at the same artifacts.
type secondLook struct{ engine.Progress }

func (secondLook) Listed(int) {}

func (secondLook) Resolved() {}

func (secondLook) Expect(int64) {}
