package store

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
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// verifier walks the graphs of the entries and collects faults.
type verifier struct {
	ctx     context.Context
	source  source
	index   *oci.Index
	options VerifyOptions
	delta   *delta.Delta // nil: the layout leaves nothing to a base
	lists   error        // that a list of the delta cannot be read
	lane    *bounds.Lane

	mu       sync.Mutex                      // guards the following fields
	reached  map[digest.Digest]*reachedBlob  // by the graph of any entry
	walked   map[walkKey]depthRange          // so far
	fatal    error                           // ends the verification
	faulty   map[sizedDigest]error           // the fault of a blob, for descriptors with this size
	subjects map[digest.Digest]digest.Digest // of manifests that are referrers
}

// source is the layout or the stream that a verifier reads.
type source interface {
	manifest(desc ocispec.Descriptor) ([]byte, error)
	// child reads a child of an index; nil if it is a blob.
	child(desc ocispec.Descriptor) ([]byte, error)
	// size returns the size of a blob; ok is false if it is absent.
	size(d digest.Digest) (int64, bool)
	// absent reports whether a blob is absent; another fault does not make it so.
	absent(d digest.Digest) bool
	// unselected reports whether a manifest that may be absent is so. A base lends none.
	unselected(d digest.Digest) bool
}

// sizedDigest is a blob with the size in a descriptor.
type sizedDigest struct {
	digest digest.Digest
	size   int64
}

// reachedBlob is a manifest or blob that the graph of any entry reaches.
type reachedBlob struct {
	digest   digest.Digest
	size     int64
	manifest bool
	index    bool
	child    bool // of an index
	read     bool // verified or blamed
	left     bool // to the base of a delta
	listed   bool // by a Survey
}

func (n *reachedBlob) descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{Digest: n.digest, Size: n.size}
}

// walkKey identifies the walks of a manifest with the same result. The media type is part
// of it: it decides the kind of a manifest whose bytes do not.
type walkKey struct {
	sizedDigest
	mediaType string
	platforms string
	subjects  bool
}

func newVerifier(ctx context.Context, s source, x *oci.Index, o VerifyOptions) *verifier {
	return &verifier{
		ctx: ctx, source: s, index: x, options: o, lane: bounds.NewLane(),
		reached:  make(map[digest.Digest]*reachedBlob),
		walked:   make(map[walkKey]depthRange),
		faulty:   make(map[sizedDigest]error),
		subjects: make(map[digest.Digest]digest.Digest),
	}
}

func (v *verifier) jobs() int {
	if v.options.Jobs > 0 {
		return v.options.Jobs
	}
	return runtime.GOMAXPROCS(0)
}

// progress reports n bytes, and ends a long read when the run ends.
func (v *verifier) progress(n int64) error {
	if v.options.Progress != nil {
		v.options.Progress(n)
	}
	return context.Cause(v.ctx)
}

// walk visits the graph of every entry.
func (v *verifier) walk() error {
	var jobs errgroup.Group
	jobs.SetLimit(v.jobs())
	for i := range v.index.Entries {
		if v.ctx.Err() != nil {
			break
		}
		jobs.Go(func() error {
			return v.visit(&v.index.Entries[i])
		})
	}
	return errors.Join(jobs.Wait(), context.Cause(v.ctx), v.fatal)
}

// visit walks the graph of an entry. The subject of an entry with a name belongs to its
// graph, if present; an entry without a name is there for the sake of its subject.
func (v *verifier) visit(e *oci.Entry) error {
	w := newEntryWalk(v, e)
	walker := oci.Walker{Visit: w.visit, Enter: w.enter}
	return walker.Walk(oci.Node{Descriptor: e.Descriptor(), Role: oci.Root})
}

// nodeMemory is the memory of each blob that is reached.
const nodeMemory = 250

// depthRange is the range of depths at which a manifest was walked: a walk from a depth in
// between finds nothing new.
type depthRange struct{ min, max int8 }

func (d depthRange) contains(depth int8) bool { return d.min <= depth && depth <= d.max }

// reach records a blob, and reports whether it may be a manifest that must be walked: for
// the first time, or again at a greater or smaller depth than before. The result must not
// depend on the order of the entries.
func (v *verifier) reach(met oci.Node, at walkKey) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.reached[met.Digest]
	if n == nil {
		if v.fatal == nil {
			v.fatal = bounds.Take(nodeMemory)
		}
		if v.fatal != nil {
			return false
		}
		n = &reachedBlob{digest: met.Digest, size: met.Size}
		v.reached[met.Digest] = n
	}
	n.child = n.child || met.Role == oci.Child
	if n.size != met.Size && !v.holds(n, met.Descriptor) {
		return false
	}
	if met.Role == oci.Leaf {
		return false
	}
	depth := int8(met.Depth)
	walked, again := v.walked[at]
	if again && (walked.contains(depth) || n.read && !n.index) {
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
func (v *verifier) holds(n *reachedBlob, desc ocispec.Descriptor) bool {
	size, ok := v.source.size(desc.Digest)
	for _, said := range []int64{n.size, desc.Size} {
		d := ocispec.Descriptor{Digest: desc.Digest, Size: said}
		switch {
		case !ok && v.delta.Leaves(desc):
			v.faulty[sizedDigest{d.Digest, said}] = &SizesError{n.size, desc.Size}
		case !ok:
			v.faulty[sizedDigest{d.Digest, said}] = &MissingError{}
		case said != size:
			v.faulty[sizedDigest{d.Digest, said}] = &oci.MismatchError{Descriptor: d, Size: size}
		}
	}
	if ok && n.size != size {
		n.size, n.read, n.manifest = size, false, false
	}
	return ok && desc.Size == size
}

// isBlob records that a child of an index is a blob, which is hashed with the others.
// Where it is referenced as a manifest, it is walked separately.
func (v *verifier) isBlob(at walkKey) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.walked, at)
}

// isManifest records the content of a manifest, and reports whether it is read for the
// first time.
func (v *verifier) isManifest(desc ocispec.Descriptor, c contents) (first bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.reached[desc.Digest]
	if n.size != desc.Size { // another descriptor has the right size
		return false
	}
	first = !n.read
	n.manifest, n.read, n.index = true, true, c.index
	if c.subject != "" {
		v.subjects[desc.Digest] = c.subject
	}
	return first
}

// blame records a fault of a blob of that size; err may be nil.
func (v *verifier) blame(d digest.Digest, size int64, err error) {
	if err == nil {
		return
	}
	if lacking, ok := errors.AsType[*LackingPartsError](err); ok {
		err = lacking
	} else if errors.Is(err, fs.ErrNotExist) {
		err = &MissingError{}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if IsTooManyFiles(err) {
		v.fatal = cmp.Or(v.fatal, err)
		return
	}
	v.faulty[sizedDigest{d, size}] = err
}
