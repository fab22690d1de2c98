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

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// maxReferrerPages is far more than any subject has.
const maxReferrerPages = 1000

// noSubject is the subject of the request that detects the API: a registry with the API
// returns an empty list.
var noSubject = digest.NewDigestFromEncoded(digest.SHA256, strings.Repeat("0", 64))

// Referrers returns the manifests that refer to subject, by the API, or by the tag schema if
// the registry has no API. fallbackKnown reports whether a list of all tags has the subject's
// fallback tag; nil means that there is no such list. A tag that is known to exist is read
// even if the registry has the API: a registry that got it later may not have imported the
// old lists.
func (r *Repository) Referrers(ctx context.Context, subject ocispec.Descriptor, fallbackKnown *bool) ([]ocispec.Descriptor, error) {
	found, err := r.referrers(ctx, subject, fallbackKnown)
	return found, r.fail("list referrers", r.fullName(subject.Digest.String()), err)
}

// AllReferrers is Referrers for a subject whose fallback tag is not known: it requests the
// tag even if the registry has the API, unless the settings promise the API.
func (r *Repository) AllReferrers(ctx context.Context, subject ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	listed, err := r.referrers(ctx, subject, nil)
	if err == nil && r.apiState() == apiPresent && r.host.settings.DistributionSpec == "" {
		var index ocispec.Index
		index, err = r.fallbackIndex(ctx, subject.Digest)
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
		return nil, &NoReferrersAPIError{Registry: r.host.Name(), Err: err}
	}
	if err != nil && !errors.Is(err, errNoAPI) {
		return nil, err
	}
	wanted := err != nil && fallbackKnown == nil || fallbackKnown != nil && *fallbackKnown
	if wanted {
		read := r.fallbackIndex
		if fallbackKnown != nil {
			read = r.knownFallbackIndex
		}
		index, err := read(ctx, subject.Digest)
		if err != nil {
			return nil, err
		}
		listed = append(listed, index.Manifests...)
	}
	return distinct(listed), nil
}

// ReferrersAPI reports whether the registry has the referrers API. It detects that once, and
// again only while the response was about the repository (which may not exist yet) and not
// about the API.
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

// listByAPI returns all pages of a subject's referrers, or errNoAPI.
func (r *Repository) listByAPI(ctx context.Context, subject digest.Digest) ([]ocispec.Descriptor, error) {
	var list referrerList
	defer list.release()
	u := r.url("referrers", subject.String())
	for n := 0; u != nil; n++ {
		if n >= maxReferrerPages {
			return nil, fmt.Errorf("the list of referrers has more than %d pages", n)
		}
		next, err := r.referrersPage(ctx, u, &list)
		if err != nil && n == 0 {
			err = r.apiError(err) // on later pages errNoAPI would hide the listed ones
		}
		if err != nil {
			return nil, err
		}
		r.foundAPI()
		u = next
	}
	return list.all, nil
}

// referrersPage adds a page to a list and returns the URL of the next.
func (r *Repository) referrersPage(ctx context.Context, u *url.URL, list *referrerList) (next *url.URL, err error) {
	before := *list
	resp, err := r.http.Stream(ctx, u, []string{ocispec.MediaTypeImageIndex}, r.host.client.options.MaxManifest, func(resp *http.Response, body io.Reader) error {
		list.truncate(before)
		if err := list.read(body); err != nil {
			return r.notIndexError(resp.Header, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return transport.NextPage(resp)
}

// apiError turns an error response of the API into errNoAPI, if it means that.
func (r *Repository) apiError(err error) error {
	switch transport.Status(err) {
	case http.StatusNotFound:
		// An unknown repository or subject says nothing about the API.
		if transport.HasCode(err, errcode.ErrorCodeNameUnknown) || transport.HasCode(err, errcode.ErrorCodeManifestUnknown) {
			return noAPI(err)
		}
		return r.apiMissing(err)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return r.apiMissing(err)
	case http.StatusBadRequest, http.StatusNotAcceptable:
		return noAPI(err) // the registry may refuse only this digest
	}
	return err
}

// notIndexError returns the error for a response of 200 that cannot be parsed. A web page
// comes from a server that has one for every path, and means errNoAPI. JSON comes from a
// server with the API, and to treat it as no referrers would lose some.
func (r *Repository) notIndexError(header http.Header, err error) error {
	if errors.Is(err, errNoObject) && !isJSON(mediaType(header)) {
		return r.apiMissing(fmt.Errorf("the response has %s", cmp.Or(mediaType(header), "no content type")))
	}
	return err
}

func isJSON(media string) bool {
	return strings.EqualFold(media, "application/json") || strings.HasSuffix(strings.ToLower(media), "+json")
}

// FallbackTag returns the tag under which a registry without the API has the referrers of a
// subject (distribution-spec, "Referrers Tag Schema", which cuts long digests to the length
// of a tag).
func FallbackTag(subject digest.Digest) string {
	algorithm := subject.Algorithm().String()
	encoded := subject.Encoded()
	return algorithm[:min(len(algorithm), 32)] + "-" + encoded[:min(len(encoded), 64)]
}

// fallbackIndex is knownFallbackIndex for a tag that may not exist: then the list is empty.
func (r *Repository) fallbackIndex(ctx context.Context, subject digest.Digest) (ocispec.Index, error) {
	index, err := r.knownFallbackIndex(ctx, subject)
	if transport.Status(err) == http.StatusNotFound {
		return ocispec.Index{}, nil
	}
	return index, err
}

// knownFallbackIndex reads the list under a fallback tag. The list is empty if something else has
// that name. The media type does not matter. A registry that takes such a tag for the digest in it
// (GitLab's) returns the subject: if that is an index, its children are no referrers.
func (r *Repository) knownFallbackIndex(ctx context.Context, subject digest.Digest) (ocispec.Index, error) {
	desc, data, err := r.fetchManifest(ctx, FallbackTag(subject))
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

// distinct removes duplicates and invalid descriptors.
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
