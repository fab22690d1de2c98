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
)

// verifier walks the graphs of an index and gathers what is wrong.
type verifier struct {
	ctx     context.Context
	source  source
	index   *Index
	options VerifyOptions
	lane    *bounds.Lane

	mu       sync.Mutex                      // guards what follows while there are jobs
	reached  map[digest.Digest]*reachedBlob  // by the graph of any entry
	walked   map[walkKey]depthRange          // of the walks that have come by
	fatal    error                           // why not all that is reached can be kept or read
	faulty   map[sizedDigest]error           // what is wrong with a blob, for those that say it has this size
	subjects map[digest.Digest]digest.Digest // of manifests that are referrers
}

// source is where a verifier finds what it walks.
type source interface {
	manifest(desc ocispec.Descriptor) ([]byte, error)
	// child reads what an index names; nil where that is a blob.
	child(desc ocispec.Descriptor) ([]byte, error)
	// size tells how long a blob is; false: it is not there.
	size(d digest.Digest) (int64, bool)
	// absent says that a blob is not there, whatever else may be wrong.
	absent(d digest.Digest) bool
}

// claim is a blob with the size that a descriptor gives it.
type sizedDigest struct {
	digest digest.Digest
	size   int64
}

// node is one blob that is reached.
type reachedBlob struct {
	digest   digest.Digest
	size     int64
	manifest bool
	index    bool
	child    bool // an index names it
	read     bool // and known to be right, or blamed
}

func (n *reachedBlob) descriptor() ocispec.Descriptor {
	return ocispec.Descriptor{Digest: n.digest, Size: n.size}
}

// step tells the walks of a manifest apart: where its bytes
// do not say what it is, its media type decides.
type walkKey struct {
	sizedDigest
	mediaType string
	platforms string
	subjects  bool
}

func newVerifier(ctx context.Context, s source, x *Index, o VerifyOptions) *verifier {
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

// progress counts n bytes, and ends a long read when the run is over.
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

// visit walks the graph below an entry's manifest. What has a name keeps what it refers
// to, if that is there; what has none is there for the sake of what it refers to.
func (v *verifier) visit(e *Entry) error {
	w := newEntryWalk(v, e)
	walker := Walker{Visit: w.visit, enter: w.enter}
	return walker.Walk(Node{Descriptor: e.Descriptor(), Role: Root})
}

// nodeMemory is the memory of each blob that is reached.
const nodeMemory = 250

// depths are the smallest and the largest depth at which a manifest was met: a walk from
// between finds nothing that those did not.
type depthRange struct{ min, max int8 }

func (d depthRange) contains(depth int8) bool { return d.min <= depth && depth <= d.max }

// reach notes a blob, and says whether it may be a manifest that is to be walked: for
// the first time, or again because a way there is longer or shorter than those before.
// What is found must not depend on which entry came by first.
func (v *verifier) reach(met Node, at walkKey) bool {
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
	n.child = n.child || met.Role == Child
	if n.size != met.Size && !v.holds(n, met.Descriptor) {
		return false
	}
	if met.Role == Leaf {
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

// holds decides between two sizes that a blob is said to have. Only what gives the wrong
// one is to blame.
func (v *verifier) holds(n *reachedBlob, desc ocispec.Descriptor) bool {
	size, ok := v.source.size(desc.Digest)
	for _, said := range []int64{n.size, desc.Size} {
		d := ocispec.Descriptor{Digest: desc.Digest, Size: said}
		switch {
		case !ok:
			v.faulty[sizedDigest{d.Digest, said}] = &MissingError{}
		case said != size:
			v.faulty[sizedDigest{d.Digest, said}] = &MismatchError{Descriptor: d, Size: size}
		}
	}
	if ok && n.size != size {
		n.size, n.read, n.manifest = size, false, false
	}
	return ok && desc.Size == size
}

// isBlob notes that what an index names is a blob, which is hashed with the others.
// What points at it as a manifest has its own walk.
func (v *verifier) isBlob(at walkKey) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.walked, at)
}

// isManifest notes what was read of a manifest, and says whether it is for the first
// time.
func (v *verifier) isManifest(desc ocispec.Descriptor, c contents) (first bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.reached[desc.Digest]
	if n.size != desc.Size { // another descriptor gives it the right one
		return false
	}
	first = !n.read
	n.manifest, n.read, n.index = true, true, c.index
	if c.subject != "" {
		v.subjects[desc.Digest] = c.subject
	}
	return first
}

// blame notes what is wrong with a blob of that size, if there is something.
func (v *verifier) blame(d digest.Digest, size int64, err error) {
	if err == nil {
		return
	}
	if errors.Is(err, fs.ErrNotExist) {
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
