package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// apiState is what is known of a registry's, or a repository's, referrers API.
type apiState int32

const (
	apiUnknown apiState = iota
	apiPresent
	apiAbsent
)

// maxReferrerPages is far beyond any subject.
const maxReferrerPages = 1000

// errNoAPI says that the referrers API was asked and is not there.
var errNoAPI = errors.New("no referrers API")

// noSubject is what a registry is asked about to find out whether it has the
// API: it answers with an empty list.
var noSubject = digest.NewDigestFromEncoded(digest.SHA256, strings.Repeat("0", 64))

// Referrers returns the manifests that refer to subject, by the API, or by the
// tag schema where the registry has no API. fallbackKnown says whether a list of
// all tags has the subject's fallback tag; nil where there is no list. A tag
// that is known to be there is read even if the registry has the API: one that
// got it later may not have taken the old lists in.
func (r *Repository) Referrers(ctx context.Context, subject ocispec.Descriptor, fallbackKnown *bool) ([]ocispec.Descriptor, error) {
	found, err := r.referrers(ctx, subject, fallbackKnown)
	return found, r.fail("list referrers", r.fullName(subject.Digest.String()), err)
}

// AllReferrers is Referrers for a subject of whose fallback tag nothing is known:
// the tag is asked for even if the registry has the API, unless the settings say
// that it has.
func (r *Repository) AllReferrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	listed, err := r.referrers(ctx, subject, nil)
	if err == nil && r.apiState() == apiPresent && r.host.settings.DistributionSpec == "" {
		var index ocispec.Index
		index, err = r.fallbackIndex(ctx, subject.Digest, false)
		listed = distinct(append(listed, index.Manifests...))
	}
	return listed, r.fail("list referrers", r.fullName(subject.Digest.String()), err)
}

func (r *Repository) referrers(ctx context.Context, subject ocispec.Descriptor, fallbackKnown *bool) ([]ocispec.Descriptor, error) {
	if err := subject.Digest.Validate(); err != nil {
		return nil, err
	}
	var listed []ocispec.Descriptor
	err := errNoAPI
	done := r.host.apiProbe.enter(ctx)
	if r.apiState() != apiAbsent {
		listed, err = r.listByAPI(ctx, subject.Digest)
	}
	done()
	if errors.Is(err, errNoAPI) && r.host.promisesAPI() {
		return nil, &NoReferrersAPIError{Registry: r.host.name, Err: err}
	}
	if err != nil && !errors.Is(err, errNoAPI) {
		return nil, err
	}
	wanted := err != nil && fallbackKnown == nil || fallbackKnown != nil && *fallbackKnown
	if wanted {
		index, err := r.fallbackIndex(ctx, subject.Digest, fallbackKnown != nil)
		if err != nil {
			return nil, err
		}
		listed = append(listed, index.Manifests...)
	}
	return distinct(listed), nil
}

// ReferrersAPI reports whether the registry lists referrers itself. It asks
// once, and again only as long as the answer was about the repository (which may
// not exist yet) and not about the API.
func (r *Repository) ReferrersAPI(ctx context.Context) (bool, error) {
	if state := r.apiState(); state != apiUnknown {
		return state == apiPresent, nil
	}
	defer r.host.apiProbe.enter(ctx)()
	if state := r.apiState(); state != apiUnknown {
		return state == apiPresent, nil
	}
	_, err := r.listByAPI(ctx, noSubject)
	if errors.Is(err, errNoAPI) {
		return r.host.promisesAPI(), nil
	}
	return err == nil, r.fail("list referrers", r.Name(), err)
}

// firstProbe lets the first of many go ahead alone, and the others when it is back:
// what it learns they need not ask. The zero value is ready.
type firstProbe struct {
	left atomic.Bool
	once sync.Once
	back chan struct{}
}

// enter returns when the first has come back, or at once for the first. The
// caller calls what it returns when it is back itself.
func (p *firstProbe) enter(ctx context.Context) (done func()) {
	p.once.Do(func() { p.back = make(chan struct{}) })
	if p.left.CompareAndSwap(false, true) {
		return func() { close(p.back) }
	}
	select {
	case <-p.back:
	case <-ctx.Done(): // the request that follows will say so
	}
	return func() {}
}

// listByAPI returns all pages of a subject's referrers, or errNoAPI.
func (r *Repository) listByAPI(ctx context.Context, subject digest.Digest) ([]ocispec.Descriptor, error) {
	var list referrerList
	defer list.release()
	u := r.url("referrers", subject.String())
	for n := 0; u != nil; n++ {
		if n >= maxReferrerPages {
			return nil, fmt.Errorf("the list of referrers does not end after %d pages", n)
		}
		next, err := r.referrersPage(ctx, u, &list)
		if err != nil && n == 0 {
			err = r.apiError(err) // on later pages it would hide those that were listed
		}
		if err != nil {
			return nil, err
		}
		r.learnAPI(apiPresent, true)
		u = next
	}
	return list.all, nil
}

// referrersPage adds a page to a list and returns where the next one is.
func (r *Repository) referrersPage(ctx context.Context, u *url.URL, list *referrerList) (next *url.URL, err error) {
	before := *list
	resp, err := r.stream(ctx, u, []string{ocispec.MediaTypeImageIndex}, r.host.client.options.MaxManifest, func(resp *http.Response, body io.Reader) error {
		list.truncate(before)
		if err := list.read(body); err != nil {
			return r.notIndexError(resp.Header, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return nextPage(resp)
}

// apiError makes of an error of the API that there is none, if it says so.
func (r *Repository) apiError(err error) error {
	switch Status(err) {
	case http.StatusNotFound:
		// That the repository or the subject is unknown says nothing about the API.
		unsure := HasCode(err, errcode.ErrorCodeNameUnknown) || HasCode(err, errcode.ErrorCodeManifestUnknown)
		return r.apiMissing(!unsure, err)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return r.apiMissing(true, err)
	case http.StatusBadRequest, http.StatusNotAcceptable:
		return r.apiMissing(false, err) // it may be about this digest only
	}
	return err
}

// notIndexError makes of an answer of 200 that cannot be read the error that it stands
// for. A page for people comes from a server that knows every path; what calls
// itself JSON comes from one that means us, and to take it for no referrers
// would lose some.
func (r *Repository) notIndexError(header http.Header, err error) error {
	if errors.Is(err, errNoObject) && !isJSON(mediaType(header)) {
		return r.apiMissing(true, fmt.Errorf("the answer is %s", cmp.Or(mediaType(header), "of no type")))
	}
	return err
}

func isJSON(media string) bool {
	return strings.EqualFold(media, "application/json") || strings.HasSuffix(strings.ToLower(media), "+json")
}

// apiMissing makes of an answer to the API that there is none, and remembers it if it
// is sure. A repository that has answered by the API before has one: then the
// answer is a fault, or referrers would be lost without a word. So it is where
// the settings promise the API.
func (r *Repository) apiMissing(sure bool, err error) error {
	if sure && apiState(r.referrersAPI.Load()) == apiPresent {
		return err
	}
	if sure && r.host.promisesAPI() {
		return &NoReferrersAPIError{Registry: r.host.name, Err: err}
	}
	if sure {
		r.learnAPI(apiAbsent, false)
	}
	return fmt.Errorf("%w: %w", errNoAPI, err)
}

// apiState returns what is known: that the settings rule the API out, what this
// repository has shown, what the registry has shown.
func (r *Repository) apiState() apiState {
	if r.host.settings.DistributionSpec != specTag {
		if state := apiState(r.referrersAPI.Load()); state != apiUnknown {
			return state
		}
	}
	return apiState(r.host.referrersAPI.Load())
}

// learnAPI remembers for the repository, and for the registry where nothing
// else is known. That a registry has the API is shown by an answer of it; what
// was learnt so is not taken back by one repository that has not (a registry
// that is a proxy for several).
func (r *Repository) learnAPI(state apiState, certain bool) {
	if certain {
		r.referrersAPI.Store(int32(state))
	} else {
		r.referrersAPI.CompareAndSwap(int32(apiUnknown), int32(state))
	}
	r.host.referrersAPI.CompareAndSwap(int32(apiUnknown), int32(state))
}

// FallbackTag is the tag under which a registry without the API has the
// referrers of a subject (distribution-spec, "Referrers Tag Schema", which cuts
// long digests to what a tag can hold).
func FallbackTag(subject digest.Digest) string {
	algorithm := subject.Algorithm().String()
	encoded := subject.Encoded()
	return algorithm[:min(len(algorithm), 32)] + "-" + encoded[:min(len(encoded), 64)]
}

// fallbackIndex reads the list that stands under a fallback tag. There is
// none, or something else has that name: the list is empty. A tag that is known
// to be there is an error if it is not. What it calls itself does not matter. A
// registry that reads such a tag as the digest which it is made of (GitLab's)
// answers with the subject: if that is an index, its children are no referrers.
func (r *Repository) fallbackIndex(ctx context.Context, subject digest.Digest, known bool) (ocispec.Index, error) {
	desc, data, err := r.fetchManifest(ctx, FallbackTag(subject))
	if Status(err) == http.StatusNotFound && !known {
		return ocispec.Index{}, nil
	}
	if err != nil || subject.Algorithm().FromBytes(data) == subject {
		return ocispec.Index{}, err
	}
	index, err := parseReferrers(data)
	if isType[missingKeyError](err) && !isIndexType(desc.MediaType) {
		return ocispec.Index{}, nil
	}
	return index, err
}

func isIndexType(media string) bool {
	return media == ocispec.MediaTypeImageIndex || media == mediaTypeDockerList
}

// distinct drops what is listed twice or is no descriptor.
func distinct(list []ocispec.Descriptor) []ocispec.Descriptor {
	seen := make(map[digest.Digest]bool, len(list))
	kept := list[:0]
	for _, desc := range list {
		if desc.Digest.Validate() == nil && !seen[desc.Digest] {
			seen[desc.Digest] = true
			kept = append(kept, desc)
		}
	}
	return kept
}
