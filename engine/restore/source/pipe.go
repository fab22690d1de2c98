package source

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// pipe is an archive that is read once. Its manifests are there from the start, its
// blobs come in its own order.
type pipe struct {
	*layout
	in      *store.Stream
	options engine.RestoreOptions
	listed  *oci.Index   // the one that the roots are from
	before  map[Key]bool // the entries of an earlier index.json; nil for the first
	taken   *taken       // the signatures that have come
	bases   *layout      // lends blobs to a delta; nil if there is none
}

// newPipe opens a pipe at its first index.json, or, where before has the entries of an
// earlier one, at its last.
func newPipe(in *store.Stream, o engine.RestoreOptions, before map[Key]bool, came *taken) *pipe {
	p := &pipe{layout: newLayout(streamed{in}, o.Progress.Notice), in: in, options: o, listed: in.Index(), before: before, taken: came}
	p.origin = &pipeOrigin{p.local}
	if o.Trust != nil {
		p.local.Index(p.roots)
	}
	if lenders := in.Lenders(); lenders != nil {
		p.bases = newLayout(lenders, o.Progress.Notice)
	}
	if before != nil {
		p.refuseLate()
	}
	return p
}

// refuseLate gives a fault to the roots that the pipe did not list at its beginning: their
// blobs may have passed already.
func (p *pipe) refuseLate() {
	for i, root := range p.roots {
		if root.Fault == nil && !p.before[KeyOf(root)] {
			p.roots[i].Fault = &store.LateError{Digest: root.Entry.Digest}
		}
	}
}

// Revised returns the pipe with its last index.json, if that differs from the first.
func (p *pipe) Revised() Source {
	if p.in.Index() == p.listed {
		return nil
	}
	before := make(map[Key]bool, len(p.listed.Entries))
	for _, e := range p.listed.Entries {
		before[Key{e.Name, e.Digest}] = true
	}
	return newPipe(p.in, p.options, before, p.taken)
}

// Certain omits the layers that a pipe need not have.
func (p *pipe) Certain(v *graph.Visit) []*graph.Blob {
	if v.Node.Index {
		return v.Blobs()
	}
	return v.Node.Blobs
}

// Content returns a spent blob: its bytes have passed.
func (p *pipe) Content(content.Descriptor) Content { return spent{} }

// Blame believes the refusal: blobs of a pipe are verified on their way.
func (p *pipe) Blame(_ content.Descriptor, refusal error) error { return refusal }

// Blobs sends the blobs as the pipe brings them.
func (p *pipe) Blobs(ctx context.Context, wanted []content.Descriptor, to Sink) error {
	if p.before != nil {
		return p.blobsThatCame(wanted, to)
	}
	if p.in.Ours() { // a later index.json takes nothing back that is whole
		if err := to.Start(); err != nil {
			return err
		}
	}
	feed := newFeed(p.in, p.options, p.borrow(wanted, to), to)
	for {
		d, size, err := p.in.Next()
		if errors.Is(err, io.EOF) {
			p.taken.end()
			return p.end(ctx, feed)
		}
		if err != nil {
			return err
		}
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		data, err := p.taken.take(d, size, p.in)
		if err != nil {
			return err
		}
		if b, ok := feed.wanted[content.Descriptor{Digest: d, Size: size}.Key()]; ok {
			if err := feed.send(ctx, b, data); err != nil {
				return err
			}
		}
	}
}

// blobsThatCame finds the blobs of the last index.json, when all have passed: the targets have what
// came.
func (p *pipe) blobsThatCame(wanted []content.Descriptor, to Sink) error {
	if err := to.Start(); err != nil {
		return err
	}
	for _, b := range p.borrow(wanted, to) {
		if !p.lend(b, to) {
			to.Find(b)
		}
	}
	return nil
}

// borrow has the targets asked for the blobs that will not come, and returns the others.
func (p *pipe) borrow(wanted []content.Descriptor, to Sink) (own []content.Descriptor) {
	for _, b := range wanted {
		if left := p.Left(b); left != nil {
			to.Borrow(b, left)
			continue
		}
		own = append(own, b)
	}
	return own
}

// end gives up the blobs that did not come, unless the pipe ended with another index.json
// than it began with: the last one holds, as in a file.
func (p *pipe) end(ctx context.Context, f *feed) error {
	if p.in.Index() != p.listed {
		return nil
	}
	if err := f.to.Start(); err != nil {
		return err
	}
	for _, b := range f.order {
		if _, wanted := f.wanted[b.Key()]; !wanted || p.lend(b, f.to) {
			continue
		}
		var err error
		if data := p.embedded(b); data != nil {
			err = f.to.Pass(ctx, b, inMemory(data), always)
		} else {
			err = f.to.Lack(b, f.why(b))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *pipe) IsAlone() bool { return p.layout.IsAlone() && p.bases == nil }

// lend sends a blob that a base of the delta in the pipe has.
func (p *pipe) lend(b content.Descriptor, to Sink) bool {
	if p.bases == nil {
		return false
	}
	if size, err := p.bases.local.Layout.Stat(b.Digest); err != nil || size != b.Size {
		return false
	}
	to.Queue(b, p.bases.Content(b), nil)
	return true
}

// pipeOrigin walks the manifests of a pipe, whose blobs are still to come.
type pipeOrigin struct{ *origin.Local }

// Child returns nil, as for a blob, if a child is not among the manifests.
func (p *pipeOrigin) Child(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	data, err := p.Local.Child(ctx, desc)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// HasBlob returns true: the blob may still come.
func (p *pipeOrigin) HasBlob(context.Context, ocispec.Descriptor) (bool, error) { return true, nil }

// streamed shows the manifests of a stream as a layout.
type streamed struct{ *store.Stream }

func (s streamed) Open(d digest.Digest) (store.Blob, error) {
	data, err := s.Manifest(d)
	if err != nil {
		return nil, err
	}
	return store.BlobOf(data), nil
}

func (s streamed) Stat(d digest.Digest) (int64, error) {
	data, err := s.Manifest(d)
	if err != nil {
		return 0, fs.ErrNotExist
	}
	return int64(len(data)), nil
}
