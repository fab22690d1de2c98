package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// ReadbackError says that a target does not show what was pushed to it.
type ReadbackError struct {
	Reference string   // in the target
	Differs   []string // what, each with the reason; more than a few are counted
	Err       error    // why it could not be read at all; nil if it was
}

func (e *ReadbackError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: verify: %v", e.Reference, e.Err)
	}
	const most = 5
	text := strings.Join(e.Differs[:min(most, len(e.Differs))], "; ")
	if more := len(e.Differs) - most; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return fmt.Sprintf("%s: verify: %s", e.Reference, text)
}

func (e *ReadbackError) Unwrap() error { return e.Err }

// readbackJobs is how much of one delivery is asked for side by side. Requests in
// flight are the client's concern.
const readbackJobs = 8

// readBack asks the target for all that a delivery consists of: the tag, every
// manifest with its bytes, every blob and every list of referrers.
func (r *restore) readBack(ctx context.Context, d *delivery) error {
	// No group context: what this asks for is remembered for others, who must not
	// be told that it was given up because something else went wrong.
	var group errgroup.Group
	group.SetLimit(readbackJobs)
	var found []*string // in the order in which the graph is walked
	check := func(ask func() (string, error)) {
		differs := new(string)
		found = append(found, differs)
		group.Go(func() (err error) {
			*differs, err = ask()
			return err
		})
	}
	check(func() (string, error) { return readTag(ctx, d) })
	r.each(d, d.visit, func(v *visit) {
		check(func() (string, error) { return r.readManifest(ctx, d, v.node) })
		for _, b := range v.node.blobs {
			check(func() (string, error) { return r.readBlob(ctx, d, b.descriptor) })
		}
		if wanted := r.wanted(d, v); len(wanted) > 0 {
			check(func() (string, error) { return readReferrers(ctx, d, v, wanted) })
		}
	})
	err := group.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	result := &ReadbackError{Reference: d.destination(), Err: err}
	for _, text := range found {
		if *text != "" {
			result.Differs = append(result.Differs, *text)
		}
	}
	if err != nil || len(result.Differs) > 0 {
		return result
	}
	return nil
}

func readTag(ctx context.Context, d *delivery) (string, error) {
	if d.tag == "" {
		return "", nil // its manifest is asked for by its digest
	}
	desc, err := d.repo.Resolve(ctx, d.tag)
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		return "the tag is missing", nil
	case err != nil || desc.Digest == d.root.digest:
		return "", err
	}
	return fmt.Sprintf("the tag has the digest %s, not %s", desc.Digest, d.root.digest), nil
}

// readManifest fetches a manifest by its digest, which the client holds its bytes
// against.
func (r *restore) readManifest(ctx context.Context, d *delivery, n *node) (string, error) {
	return r.readOnce(ctx, d, n.descriptor, func() (string, error) {
		desc, data, err := d.repo.FetchManifest(ctx, n.digest.String())
		switch {
		case errors.Is(err, errdef.ErrNotFound):
			return fmt.Sprintf("manifest %s is missing", n.digest), nil
		case err != nil:
			return "", err
		case verify(n.oci(), data) != nil:
			return fmt.Sprintf("manifest %s has other bytes", n.digest), nil
		case desc.MediaType != n.mediaType:
			return fmt.Sprintf("manifest %s has the media type %s, not %s", n.digest, desc.MediaType, n.mediaType), nil
		}
		return "", nil
	})
}

// readBlob fetches a blob and hashes it: a registry may have had it before, damaged.
func (r *restore) readBlob(ctx context.Context, d *delivery, b descriptor) (string, error) {
	return r.readOnce(ctx, d, b, func() (string, error) {
		for attempt := 0; ; attempt++ {
			err := hashRemote(ctx, d.repo, b)
			switch {
			case err == nil:
				return "", nil
			case errors.Is(err, errdef.ErrNotFound):
				return fmt.Sprintf("blob %s is missing", b.digest), nil
			case !isWrong(err):
				return "", err
			case attempt > 0: // it was no fault of the way
				return fmt.Sprintf("blob %s has other bytes", b.digest), nil
			}
		}
	})
}

func hashRemote(ctx context.Context, repo *registry.Repository, b descriptor) error {
	if b.size == 0 {
		return nil
	}
	body, err := repo.FetchBlob(ctx, b.oci(), 0, b.size)
	if err != nil {
		return err
	}
	hash := b.digest.Algorithm().Hash()
	if _, err := io.Copy(hash, body); err != nil {
		return errors.Join(err, body.Close())
	}
	return errors.Join(checkHash(b, hash), body.Close())
}

// readOnce asks a repository once for what many of its artifacts share.
func (r *restore) readOnce(ctx context.Context, d *delivery, b descriptor, ask func() (string, error)) (string, error) {
	b.mediaType = ""
	return r.read.do(ctx, readKey{d.target.Registry + "/" + d.path, b}, ask)
}

// readKey is one blob or manifest of one repository of a target.
type readKey struct {
	repository string
	descriptor descriptor
}

func readReferrers(ctx context.Context, d *delivery, v *visit, wanted []*visit) (string, error) {
	listed, err := d.repo.Referrers(ctx, v.node.oci(), nil)
	if err != nil {
		return "", err
	}
	for _, w := range wanted {
		if !slices.ContainsFunc(listed, func(l ocispec.Descriptor) bool { return l.Digest == w.node.digest }) {
			return fmt.Sprintf("the referrers of %s do not list %s", v.node.digest, w.node.digest), nil
		}
	}
	return "", nil
}
