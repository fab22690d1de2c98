package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/pool"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// readbackJobs bounds the questions about one delivery at a time. Requests in flight are
// the client's concern.
const readbackJobs = 8

// check is one question to a target about a delivery.
type check struct {
	ask  func() (differs string, err error)
	mend func(*mending) // adds the part to push if it differs
	text string         // the difference; "" if there is none
}

// mending lists the parts to push once more.
type mending struct {
	blobs []content.Descriptor
	lacks map[*graph.Visit]bool
}

// readback asks the targets for everything that was pushed to them.
type readback struct {
	progress engine.Progress
	pusher   *pusher                    // pushes missing parts
	lane     *bounds.Lane               // of the manifests that are read
	read     pool.Once[readKey, string] // the difference of each part
}

// run asks the target for all parts of a delivery: the tag, every manifest with its
// bytes, every blob and every list of referrers. Parts that are missing or wrong are
// pushed, once, and asked for again.
func (r *readback) run(ctx context.Context, d *delivery) error {
	differing, err := r.ask(ctx, d, r.checks(ctx, d))
	if err != nil || len(differing) == 0 {
		return err
	}
	first := texts(differing)
	r.progress.Notice(fmt.Sprintf("%s: %s: pushing it again", d.Destination(), engine.Readable(first)))
	if err := r.mend(ctx, d, differing); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return &engine.ReadbackError{Reference: d.Destination(), Differs: first, Again: err}
	}
	differing, err = r.ask(ctx, d, differing)
	if err != nil || len(differing) == 0 {
		return err
	}
	return &engine.ReadbackError{Reference: d.Destination(), Differs: texts(differing)}
}

// mend pushes the parts that differ.
func (r *readback) mend(ctx context.Context, d *delivery, differing []*check) error {
	m := &mending{lacks: make(map[*graph.Visit]bool)}
	for _, c := range differing {
		c.mend(m)
	}
	d.repeated, d.found.present, d.found.lacks = true, true, m.lacks
	for _, b := range m.blobs {
		if err := r.pusher.uploads.resend(ctx, d, b); err != nil {
			return err
		}
	}
	return r.pusher.push(ctx, d)
}

// checks lists the questions about a delivery, in the order of its graph.
func (r *readback) checks(ctx context.Context, d *delivery) []*check {
	all := []*check{{
		ask:  func() (string, error) { return r.readTag(ctx, d) },
		mend: func(m *mending) { m.lacks[d.visit] = true },
	}}
	d.visit.Linked(func(v *graph.Visit) {
		all = append(all, &check{
			ask:  func() (string, error) { return r.readManifest(ctx, d, v.Node) },
			mend: func(m *mending) { m.lacks[v] = true },
		})
		for _, b := range r.pusher.source.Certain(v) {
			all = append(all, &check{
				ask:  func() (string, error) { return r.readBlob(ctx, d, b.Descriptor) },
				mend: func(m *mending) { m.blobs = append(m.blobs, b.Descriptor) },
			})
		}
	})
	for _, l := range listsOf(d, func(*graph.Visit) bool { return true }) {
		all = append(all, &check{
			ask: func() (string, error) { return readList(ctx, d, l) },
			mend: func(m *mending) {
				for _, v := range l.referrers {
					m.lacks[v] = true
				}
			},
		})
	}
	return all
}

// ask returns the checks that find a difference.
func (r *readback) ask(ctx context.Context, d *delivery, checks []*check) ([]*check, error) {
	// No group context: the answers are kept for other deliveries, which must not
	// fail because something else went wrong here.
	var group errgroup.Group
	group.SetLimit(readbackJobs)
	for _, c := range checks {
		group.Go(func() (err error) {
			c.text, err = c.ask()
			return err
		})
	}
	err := group.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if err != nil {
		return nil, &engine.ReadbackError{Reference: d.Destination(), Err: err}
	}
	return slices.DeleteFunc(checks, func(c *check) bool { return c.text == "" }), nil
}

func texts(checks []*check) []string {
	all := make([]string, len(checks))
	for i, c := range checks {
		all[i] = c.text
	}
	return all
}

func (r *readback) readTag(ctx context.Context, d *delivery) (string, error) {
	if d.Tag == "" {
		return "", nil // its manifest is asked for by its digest
	}
	desc, err := d.repo.Resolve(ctx, d.Tag)
	switch {
	case errors.Is(err, errdef.ErrNotFound):
		return "the tag is missing", nil
	case err != nil || content.IsNamed(d.Root.Digest, desc.Digest, func() ([]byte, error) { return manifestBytes(ctx, r.pusher.source, d.visit) }):
		return "", err
	}
	return fmt.Sprintf("the tag has the digest %s, not %s", desc.Digest, d.Root.Digest), nil
}

// readManifest fetches a manifest by its digest, which the client verifies.
func (r *readback) readManifest(ctx context.Context, d *delivery, n *graph.Node) (string, error) {
	return r.readOnce(ctx, d, n.Descriptor, func() (string, error) {
		ctx, done := r.lane.Begin(ctx)
		defer done()
		desc, data, err := d.repo.FetchManifest(ctx, n.Digest.String())
		if errors.Is(err, errdef.ErrNotFound) && n == d.visit.Node && d.Tag != "" && n.Digest.Algorithm() != digest.Canonical {
			desc, data, err = d.repo.FetchManifest(ctx, d.Tag) // the target does not know the algorithm
		}
		if err == nil {
			err = bounds.EnterDocument(ctx, data)
		}
		switch {
		case errors.Is(err, errdef.ErrNotFound):
			return fmt.Sprintf("manifest %s is missing", n.Digest), nil
		case err != nil:
			return "", err
		case content.Verify(n.OCI(), data) != nil:
			return fmt.Sprintf("manifest %s has different content", n.Digest), nil
		}
		m, err := oci.ParseManifest(desc, data)
		if err == nil && m.MediaType != n.MediaType {
			return fmt.Sprintf("manifest %s has the media type %s, not %s", n.Digest, m.MediaType, n.MediaType), nil
		}
		return "", err
	})
}

// readBlob fetches a blob and hashes it: a registry may have had it before, damaged.
func (r *readback) readBlob(ctx context.Context, d *delivery, b content.Descriptor) (string, error) {
	return r.readOnce(ctx, d, b, func() (string, error) {
		for attempt := 0; ; attempt++ {
			err := hashRemote(ctx, d.repo, b)
			switch {
			case err == nil:
				return "", nil
			case errors.Is(err, errdef.ErrNotFound):
				return fmt.Sprintf("blob %s is missing", b.Digest), nil
			case !content.IsWrong(err):
				return "", err
			case attempt > 0: // the connection was not at fault
				return fmt.Sprintf("blob %s has different content", b.Digest), nil
			}
		}
	})
}

func hashRemote(ctx context.Context, repo *registry.Repository, b content.Descriptor) error {
	if b.Size == 0 {
		return nil
	}
	body, err := repo.FetchBlob(ctx, b.OCI(), 0, b.Size)
	if err != nil {
		return err
	}
	hash := b.Digest.Algorithm().Hash()
	if _, err := io.Copy(hash, body); err != nil {
		return errors.Join(err, body.Close())
	}
	return errors.Join(content.CheckHash(b, hash), body.Close())
}

// readOnce asks a repository once for a part that many of its artifacts share.
func (r *readback) readOnce(ctx context.Context, d *delivery, b content.Descriptor, ask func() (string, error)) (string, error) {
	return r.read.Do(ctx, readKey{d.Repository(), b.Key(), d.repeated}, ask)
}

// readKey identifies one blob or manifest of one repository of a target.
type readKey struct {
	repository string
	content    content.Key
	repeated   bool // after it was pushed again
}

func readList(ctx context.Context, d *delivery, l list) (string, error) {
	listed, err := listedReferrers(ctx, d, l.subject)
	absent := l.without(listed)
	if err != nil || len(absent) == 0 {
		return "", err
	}
	return fmt.Sprintf("the referrers of %s do not list %s", l.subject, absent[0].Node.Digest), nil
}
