// Package verify checks that all that an index.json promises is there: it walks the graph of each
// entry, and says which entries a missing or damaged blob affects. It reads manifests through an
// interface; its caller hashes the other blobs. See store.Verify.
package verify

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"runtime"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Verifier walks the graphs of the entries of an index and collects faults. Only Blame and Progress
// may be called concurrently.
type Verifier struct {
	Index *oci.Index
	Delta *delta.Delta // nil: the layout leaves nothing to a base
	Lists error        // that a list of the delta cannot be read
	// Reached has the blobs that the graph of any entry reaches. It is complete after Walk.
	Reached map[digest.Digest]*Blob // guarded by mu

	ctx     context.Context
	source  Source
	options Options
	lane    *bounds.Lane

	mu       sync.Mutex                      // guards the following fields
	walked   map[walkKey]depthRange          // so far
	fatal    error                           // ends the verification
	faulty   map[sizedDigest]error           // the fault of a blob, for descriptors with this size
	subjects map[digest.Digest]digest.Digest // of manifests that are referrers
}

// Source is the layout or the stream that a Verifier reads. It is safe for concurrent use.
type Source interface {
	// Manifest reads a manifest, verified.
	Manifest(desc ocispec.Descriptor) ([]byte, error)
	// Child reads a child of an index; nil if it is a blob.
	Child(desc ocispec.Descriptor) ([]byte, error)
	// Size returns the size of a blob; ok is false if it is absent.
	Size(d digest.Digest) (int64, bool)
	// Absent reports whether a blob is absent; another fault does not make it so.
	Absent(d digest.Digest) bool
	// Unselected reports whether a manifest that may be absent is so. A base lends none.
	Unselected(d digest.Digest) bool
}

// sizedDigest is a blob with the size in a descriptor.
type sizedDigest struct {
	digest digest.Digest
	size   int64
}

// Blob is a manifest or blob that the graph of any entry reaches.
type Blob struct {
	Digest   digest.Digest
	Size     int64
	Manifest bool
	Read     bool // verified or blamed
	index    bool
	child    bool // of an index
	left     bool // to the base of a delta
	listed   bool // by a Survey
}

// Descriptor returns the digest and the size.
func (n *Blob) Descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{Digest: n.Digest, Size: n.Size}
}

// walkKey identifies the walks of a manifest with the same result. The media type is part
// of it: it decides the kind of a manifest whose bytes do not.
type walkKey struct {
	sizedDigest
	mediaType string
	platforms string
	subjects  bool
}

// New returns a verifier of the entries of an index, which may be set later.
func New(ctx context.Context, s Source, x *oci.Index, o Options) *Verifier {
	return &Verifier{
		ctx: ctx, source: s, Index: x, options: o, lane: bounds.NewLane(),
		Reached:  make(map[digest.Digest]*Blob),
		walked:   make(map[walkKey]depthRange),
		faulty:   make(map[sizedDigest]error),
		subjects: make(map[digest.Digest]digest.Digest),
	}
}

// Jobs returns the number of blobs to hash concurrently.
func (v *Verifier) Jobs() int {
	if v.options.Jobs > 0 {
		return v.options.Jobs
	}
	return runtime.GOMAXPROCS(0)
}

// Progress reports n bytes, and ends a long read when the run ends.
func (v *Verifier) Progress(n int64) error {
	if v.options.Progress != nil {
		v.options.Progress(n)
	}
	return context.Cause(v.ctx)
}

// Walk visits the graph of every entry.
func (v *Verifier) Walk() error {
	var jobs errgroup.Group
	jobs.SetLimit(v.Jobs())
	for i := range v.Index.Entries {
		if v.ctx.Err() != nil {
			break
		}
		jobs.Go(func() error {
			return v.Visit(&v.Index.Entries[i])
		})
	}
	return errors.Join(jobs.Wait(), v.Ended())
}

// Ended returns the error that ends the verification; nil if there is none.
func (v *Verifier) Ended() error { return errors.Join(context.Cause(v.ctx), v.fatal) }

// AnyFault returns one of the faults, and the blob at fault.
func (v *Verifier) AnyFault() (digest.Digest, error) {
	for at, err := range v.faulty {
		return at.digest, err
	}
	return "", nil
}

// Visit walks the graph of an entry. The subject of an entry with a name belongs to its
// graph, if present; an entry without a name is there for the sake of its subject.
func (v *Verifier) Visit(e *oci.Entry) error {
	w := newEntryWalk(v, e)
	walker := oci.Walker{Visit: w.visit, Enter: w.enter}
	return walker.Walk(oci.Node{Descriptor: e.Descriptor(), Role: oci.Root})
}

// nodeMemory is the memory of each blob that is reached.
const nodeMemory = 250

// Release no longer counts the memory of what was reached: checks of signatures may come next.
// The verifier must not be used any more.
func (v *Verifier) Release() { bounds.Give(nodeMemory * int64(len(v.Reached))) }

// depthRange is the range of depths at which a manifest was walked: a walk from a depth in
// between finds nothing new.
type depthRange struct{ min, max int8 }

func (d depthRange) contains(depth int8) bool { return d.min <= depth && depth <= d.max }

// reach records a blob, and reports whether it may be a manifest that must be walked: for
// the first time, or again at a greater or smaller depth than before. The result must not
// depend on the order of the entries.
func (v *Verifier) reach(met oci.Node, at walkKey) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.Reached[met.Digest]
	if n == nil {
		if v.fatal == nil {
			v.fatal = bounds.Take(nodeMemory)
		}
		if v.fatal != nil {
			return false
		}
		n = &Blob{Digest: met.Digest, Size: met.Size}
		v.Reached[met.Digest] = n
	}
	n.child = n.child || met.Role == oci.Child
	if n.Size != met.Size && !v.holds(n, met.Descriptor) {
		return false
	}
	if met.Role == oci.Leaf {
		return false
	}
	depth := int8(met.Depth)
	walked, again := v.walked[at]
	if again && (walked.contains(depth) || n.Read && !n.index) {
		return false
	}
	if !again {
		walked = depthRange{depth, depth}
	}
	v.walked[at] = depthRange{min(walked.min, depth), max(walked.max, depth)}
	return true
}

// holds decides between two sizes that descriptors give a blob. Only the wrong one is a
// fault.
func (v *Verifier) holds(n *Blob, desc ocispec.Descriptor) bool {
	size, ok := v.source.Size(desc.Digest)
	for _, said := range []int64{n.Size, desc.Size} {
		d := ocispec.Descriptor{Digest: desc.Digest, Size: said}
		switch {
		case !ok && v.Delta.Leaves(desc):
			v.faulty[sizedDigest{d.Digest, said}] = &SizesError{n.Size, desc.Size}
		case !ok:
			v.faulty[sizedDigest{d.Digest, said}] = &MissingError{}
		case said != size:
			v.faulty[sizedDigest{d.Digest, said}] = &oci.MismatchError{Descriptor: d, Size: size}
		}
	}
	if ok && n.Size != size {
		n.Size, n.Read, n.Manifest = size, false, false
	}
	return ok && desc.Size == size
}

// ForgetWalks frees what walk needs: no graph is walked any more.
func (v *Verifier) ForgetWalks() { v.walked = nil }

// isBlob records that a child of an index is a blob, which is hashed with the others.
// Where it is referenced as a manifest, it is walked separately.
func (v *Verifier) isBlob(at walkKey) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.walked, at)
}

// isManifest records the content of a manifest, and reports whether it is read for the
// first time.
func (v *Verifier) isManifest(desc ocispec.Descriptor, c contents) (first bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.Reached[desc.Digest]
	if n.Size != desc.Size { // another descriptor has the right size
		return false
	}
	first = !n.Read
	n.Manifest, n.Read, n.index = true, true, c.index
	if c.subject != "" {
		if of := v.Reached[c.subject]; of != nil {
			c.subject = of.Digest // the same text once
		}
		v.subjects[n.Digest] = c.subject
	}
	return first
}

// absence is the error of a missing blob that says where the blob is.
type absence interface {
	error
	Absent()
}

// Blame records a fault of a blob of that size; err may be nil.
func (v *Verifier) Blame(d digest.Digest, size int64, err error) {
	if err == nil {
		return
	}
	if elsewhere, ok := errors.AsType[absence](err); ok {
		err = elsewhere
	} else if errors.Is(err, fs.ErrNotExist) {
		err = &MissingError{}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if disk.IsTooManyFiles(err) {
		v.fatal = cmp.Or(v.fatal, err)
		return
	}
	v.faulty[sizedDigest{d, size}] = err
}
