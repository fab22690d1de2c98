package store

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/internal/limit"
)

// verifier walks the graphs of an index and gathers what is wrong.
type verifier struct {
	ctx     context.Context
	source  source
	index   *Index
	options VerifyOptions
	lane    *limit.Lane

	mu       sync.Mutex                      // guards what follows while there are jobs
	reached  map[digest.Digest]*node         // by the graph of any entry
	seen     map[step]int8                   // how deep a walk that has come by was at most
	full     error                           // why not all can be kept that is reached
	bad      map[digest.Digest]error         // by blob, what is wrong with it
	subjects map[digest.Digest]digest.Digest // of manifests that are referrers
}

// source is where a verifier finds what it walks.
type source interface {
	manifest(desc ocispec.Descriptor) ([]byte, error)
	// absent says that a blob is not there, whatever else may be wrong.
	absent(d digest.Digest) bool
}

// node is one blob that is reached.
type node struct {
	digest   digest.Digest
	size     int64
	manifest bool
	read     bool // and known to be right, or blamed
}

func (n *node) oci() ocispec.Descriptor { return ocispec.Descriptor{Digest: n.digest, Size: n.size} }

// step is what makes one walk of a manifest different from another.
type step struct {
	digest    digest.Digest
	platforms string
}

func newVerifier(ctx context.Context, s source, x *Index, o VerifyOptions) *verifier {
	return &verifier{
		ctx: ctx, source: s, index: x, options: o, lane: limit.NewLane(),
		reached:  make(map[digest.Digest]*node),
		seen:     make(map[step]int8),
		bad:      make(map[digest.Digest]error),
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
			e := &v.index.Entries[i]
			v.visit(e.Platforms, e.Descriptor())
			return nil
		})
	}
	return errors.Join(jobs.Wait(), context.Cause(v.ctx), v.full)
}

// visit walks the graph below an entry's manifest.
func (v *verifier) visit(platforms string, desc ocispec.Descriptor) {
	w := &entryWalk{verifier: v, root: desc.Digest, platforms: platforms}
	w.visit(desc, true, 0)
}

// entryWalk is the way through one entry's graph.
type entryWalk struct {
	*verifier
	root      digest.Digest // to be blamed for what goes beyond a limit: others may share the rest
	platforms string
	manifests int // met below the entry
}

// visit notes a blob and, below a manifest, all that it points at.
func (w *entryWalk) visit(desc ocispec.Descriptor, manifest bool, depth int) {
	if manifest && depth > limit.Depth {
		w.blame(w.root, limit.TooDeep)
		return
	}
	walk, again := w.reach(desc, manifest, step{desc.Digest, w.platforms}, depth)
	if !walk {
		return
	}
	children, err := w.children(desc)
	if err == nil && !again {
		w.blame(w.root, w.count(children))
		err = w.progress(desc.Size)
	}
	w.blame(desc.Digest, err)
	if w.manifests > limit.Manifests {
		return
	}
	for _, c := range children {
		w.visit(c.desc, c.manifest, depth+1)
	}
}

// child is what a manifest points at.
type child struct {
	desc     ocispec.Descriptor
	manifest bool
}

// children returns what a manifest points at and what has to be there, unless there
// is more of it than any artifact has.
func (w *entryWalk) children(desc ocispec.Descriptor) ([]child, error) {
	ctx, done := w.lane.Begin(w.ctx)
	defer done()
	all, subject, err := w.successors(ctx, desc)
	w.refers(desc.Digest, subject)
	if IsIndex(desc.MediaType) && len(all) > limit.Manifests {
		return nil, limit.TooBroad
	}
	var children []child
	for _, c := range all {
		if optional(w.platforms, desc, c, all) && w.source.absent(c.Digest) {
			continue
		}
		children = append(children, child{ocispec.Descriptor{MediaType: c.MediaType, Digest: c.Digest, Size: c.Size}, IsManifest(c.MediaType)})
	}
	return children, err
}

// count adds up the manifests of the entry.
func (w *entryWalk) count(children []child) error {
	for _, c := range children {
		if c.manifest {
			w.manifests++
		}
	}
	if w.manifests > limit.Manifests {
		return limit.TooBroad
	}
	return nil
}

// optional says that a child need not be there: its platform was not selected,
// or no registry has to have it.
func optional(platforms string, desc, child ocispec.Descriptor, children []ocispec.Descriptor) bool {
	return leftOut(platforms, desc, child, children) || len(child.URLs) > 0 &&
		(strings.Contains(child.MediaType, ".nondistributable.") || strings.Contains(child.MediaType, ".foreign."))
}

// nodeMemory is what is kept of each blob that is reached.
const nodeMemory = 250

// reach notes a blob, and says whether it is a manifest that is to be walked: for the
// first time, or again because a way there is longer than those before. How deep a
// graph is must not depend on which entry came by first.
func (v *verifier) reach(desc ocispec.Descriptor, manifest bool, at step, depth int) (walk, again bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.reached[desc.Digest]
	if n == nil {
		if v.full == nil {
			v.full = limit.Take(nodeMemory)
		}
		if v.full != nil {
			return false, false
		}
		n = &node{digest: desc.Digest, size: desc.Size}
		v.reached[desc.Digest] = n
	}
	if n.size != desc.Size { // one of the two that point at it is wrong
		more, less := max(n.size, desc.Size), min(n.size, desc.Size)
		n.size = more
		v.bad[desc.Digest] = &MismatchError{Descriptor: n.oci(), Size: less}
	}
	if !manifest {
		return false, false
	}
	again = n.read
	n.manifest, n.read = true, true
	deepest, walked := v.seen[at]
	if walked && (depth <= int(deepest) || !IsIndex(desc.MediaType)) {
		return false, again
	}
	v.seen[at] = int8(depth)
	return true, again
}

// refers notes the subject of a manifest.
func (v *verifier) refers(d digest.Digest, subject *ocispec.Descriptor) {
	if subject == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.subjects[d] = subject.Digest
}

func (v *verifier) successors(ctx context.Context, desc ocispec.Descriptor) ([]ocispec.Descriptor, *ocispec.Descriptor, error) {
	if err := limit.Enter(ctx, min(desc.Size, MaxManifest)); err != nil {
		return nil, nil, err
	}
	data, err := v.source.manifest(desc)
	if err != nil {
		return nil, nil, err
	}
	if err := limit.EnterDocument(ctx, data); err != nil {
		return nil, nil, err
	}
	return Successors(desc, data)
}

// blame notes what is wrong with a blob, if there is something.
func (v *verifier) blame(d digest.Digest, err error) {
	if err == nil {
		return
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = &MissingError{}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.bad[d] = err
}
