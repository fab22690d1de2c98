package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// maxListTries bounds how often what a list lacks is pushed or merged again. Each of
// several writers of one list can lose against each of the others once.
const maxListTries = 6

// UnlistedError says that a registry took referrers and does not list them.
type UnlistedError struct {
	Subject   digest.Digest
	Referrers []digest.Digest
}

func newUnlistedError(subject digest.Digest, missing []ocispec.Descriptor) *UnlistedError {
	e := &UnlistedError{Subject: subject}
	for _, desc := range missing {
		e.Referrers = append(e.Referrers, desc.Digest)
	}
	return e
}

func (e *UnlistedError) Error() string {
	text := fmt.Sprintf("%s was pushed and is not listed", e.Referrers[0])
	if more := len(e.Referrers) - 1; more > 0 {
		text += fmt.Sprintf("; %d more like it", more)
	}
	return text
}

// ListReferrers sees to it that the registry lists manifests that were pushed as
// referrers of subject. It asks for the list, and pushes what that lacks once
// more: a registry with the referrers API may lose entries when several come at
// once. On a registry without it, it merges them (with their artifact types and
// annotations) into the list under the subject's fallback tag, and reads that back
// when another process that began before us must have put its own: the protocol has
// no other way to keep two from losing each other's entries. What is not listed
// after a few tries is an *UnlistedError.
func (r *Repository) ListReferrers(ctx context.Context, subject digest.Digest, pushed []ocispec.Descriptor, push func(ocispec.Descriptor) error) error {
	if err := subject.Validate(); err != nil {
		return r.fail("push", r.Name(), err)
	}
	r.ExpectPush()
	api, err := r.ReferrersAPI(ctx)
	if err != nil {
		return err
	}
	var list referrersList = &listUnderTag{repo: r, subject: subject}
	if api {
		list = &listOfAPI{repo: r, subject: subject, push: push}
	}
	defer r.lists.lock(subject)()
	return r.fail("list referrers", r.fullName(subject.String()), r.complete(ctx, list, subject, pushed))
}

// complete adds to a list what it lacks until it has all that was pushed.
func (r *Repository) complete(ctx context.Context, list referrersList, subject digest.Digest, pushed []ocispec.Descriptor) error {
	retry := r.host.health.retry
	for try := 0; ; try++ {
		listed, err := list.read(ctx)
		if err != nil {
			return err
		}
		missing := without(pushed, listed)
		if len(missing) == 0 {
			return nil
		}
		if try == maxListTries {
			return newUnlistedError(subject, missing)
		}
		if err := list.add(ctx, missing); err != nil {
			return err
		}
		if err := retry.Sleep(ctx, list.pause(try)); err != nil {
			return err
		}
	}
}

// referrersList is the list of one subject's referrers in a registry. Its calls come
// one after the other: read, and as long as something lacks add, pause and read.
type referrersList interface {
	read(ctx context.Context) ([]ocispec.Descriptor, error)
	add(ctx context.Context, missing []ocispec.Descriptor) error
	pause(try int) time.Duration // from add to read; the first try is 0
}

// listOfAPI is kept by the registry.
type listOfAPI struct {
	repo    *Repository
	subject digest.Digest
	push    func(ocispec.Descriptor) error
}

func (l *listOfAPI) read(ctx context.Context) ([]ocispec.Descriptor, error) {
	return l.repo.listByAPI(ctx, l.subject)
}

// add pushes one manifest after the other: that several came at once may be why
// they are lacking.
func (l *listOfAPI) add(_ context.Context, missing []ocispec.Descriptor) error {
	for _, desc := range missing {
		if err := l.push(desc); err != nil {
			return err
		}
	}
	return nil
}

// pause is longer each time: the list may follow its pushes late.
func (l *listOfAPI) pause(try int) time.Duration {
	return l.repo.jitter(time.Duration(try+1) * minSettle)
}

// listUnderTag is an index under the subject's fallback tag.
type listUnderTag struct {
	repo    *Repository
	subject digest.Digest
	index   ocispec.Index // as it was read
	since   time.Time     // when it was asked for
	took    time.Duration // from then until it was put
}

func (l *listUnderTag) read(ctx context.Context) (_ []ocispec.Descriptor, err error) {
	l.since = l.repo.host.health.retry.Now()
	l.index, err = l.repo.fallbackIndex(ctx, l.subject, false)
	return l.index.Manifests, err
}

func (l *listUnderTag) add(ctx context.Context, missing []ocispec.Descriptor) error {
	l.index.Versioned = specs.Versioned{SchemaVersion: 2}
	l.index.MediaType = ocispec.MediaTypeImageIndex
	l.index.Manifests = distinct(slices.Concat(l.index.Manifests, missing))
	data, err := json.Marshal(l.index)
	if err != nil {
		return err
	}
	desc := ocispec.Descriptor{MediaType: l.index.MediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	defer func() { l.took = l.repo.host.health.retry.Now().Sub(l.since) }()
	return l.repo.pushManifest(ctx, desc, data, FallbackTag(l.subject))
}

// Another process that has read the list before ours was put takes about as long as
// we did until it has put its own. Two restores at once to distribution on a busy
// machine lost entries in 42 of 100 rounds with no pause, and in none of 200 with it.
const (
	minSettle = 200 * time.Millisecond
	maxSettle = 5 * time.Second
)

func (l *listUnderTag) pause(int) time.Duration {
	return l.repo.jitter(min(max(4*l.took, minSettle), maxSettle))
}

// jitter makes a pause up to half as long again: those that wait for the same must not
// go on in step.
func (r *Repository) jitter(pause time.Duration) time.Duration {
	return time.Duration(float64(pause) * (1 + 0.5*r.host.health.retry.Jitter()))
}

// without returns those of wanted that are not among others.
func without(wanted, others []ocispec.Descriptor) []ocispec.Descriptor {
	there := make(map[digest.Digest]bool, len(others))
	for _, desc := range others {
		there[desc.Digest] = true
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(desc ocispec.Descriptor) bool { return there[desc.Digest] })
}

// locks are one lock for each digest. The zero value is ready.
type locks struct {
	mu   sync.Mutex // guards held
	held map[digest.Digest]*heldLock
}

type heldLock struct {
	sync.Mutex
	users int // that hold it or wait for it; guarded by locks.mu
}

// lock waits for the lock of d and returns the function that gives it back.
func (l *locks) lock(d digest.Digest) (unlock func()) {
	l.mu.Lock()
	h := l.held[d]
	if h == nil {
		if l.held == nil {
			l.held = make(map[digest.Digest]*heldLock)
		}
		h = &heldLock{}
		l.held[d] = h
	}
	h.users++
	l.mu.Unlock()
	h.Lock()
	return func() {
		h.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(l.held, d)
		}
	}
}
