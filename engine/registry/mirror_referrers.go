package registry

import (
	"context"
	"fmt"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Referrers lists the referrers of a subject in the repository itself. Without that, it unites the
// lists of the mirrors: a cache may not have the referrers API, and no signature must be lost for
// that.
func (e *Endpoints) Referrers(ctx context.Context, subject ocispec.Descriptor, fallbackKnown *bool) ([]ocispec.Descriptor, error) {
	return e.referrers(ctx, subject, func(ctx context.Context, r *Repository) ([]ocispec.Descriptor, error) {
		if len(e.all) > 1 && !e.asksItself() {
			return r.AllReferrers(ctx, subject) // the tags are those of one mirror
		}
		return r.Referrers(ctx, subject, fallbackKnown)
	})
}

// AllReferrers is the same for a subject whose fallback tag is not known.
func (e *Endpoints) AllReferrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	return e.referrers(ctx, subject, func(ctx context.Context, r *Repository) ([]ocispec.Descriptor, error) {
		return r.AllReferrers(ctx, subject)
	})
}

func (e *Endpoints) referrers(ctx context.Context, subject ocispec.Descriptor, list func(context.Context, *Repository) ([]ocispec.Descriptor, error)) ([]ocispec.Descriptor, error) {
	lists := e.lists()
	var all []ocispec.Descriptor
	one := func(ctx context.Context, r *Repository) error {
		found, err := list(ctx, r)
		all = append(all, found...)
		return err
	}
	if len(lists.all) == 1 {
		_, err := lists.ask(ctx, 0, one)
		return all, e.named(err, subject.Digest.String())
	}
	failed := make([]error, len(lists.all))
	some := false
	for i, r := range lists.all {
		failed[i] = lists.askBriefly(ctx, r, one)
		some = some || failed[i] == nil
	}
	if some && ctx.Err() == nil {
		e.tellUnlisted(failed)
		return distinct(all), nil
	}
	_, err := lists.ask(ctx, 0, one)
	return distinct(all), e.named(err, subject.Digest.String())
}

// tellUnlisted tells the user once which mirrors have not listed referrers.
func (e *Endpoints) tellUnlisted(failed []error) {
	for i, err := range failed {
		if err != nil && !isNotThere(err) && e.unlisted.CompareAndSwap(false, true) {
			e.notice(fmt.Sprintf("%s: referrers are those of the other mirrors alone: %s", e.own.Name(), e.atMirror(i, err)))
		}
	}
}
