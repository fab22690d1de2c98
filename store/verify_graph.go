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
)

// verifier walks the graphs of an index and gathers what is wrong.
type verifier struct {
	ctx     context.Context
	source  source
	index   *Index
	options VerifyOptions

	mu       sync.Mutex                      // guards what follows while there are jobs
	reached  map[digest.Digest]*node         // by the graph of any entry
	seen     map[step]bool                   // walked already
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
	desc     ocispec.Descriptor
	manifest bool
	read     bool // and known to be right, or blamed
}

// step is what makes one walk of a manifest different from another.
type step struct {
	digest    digest.Digest
	platforms string
}

func newVerifier(ctx context.Context, s source, x *Index, o VerifyOptions) *verifier {
	return &verifier{
		ctx: ctx, source: s, index: x, options: o,
		reached:  make(map[digest.Digest]*node),
		seen:     make(map[step]bool),
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
			v.visit(e.Platforms, e.Descriptor(), true)
			return nil
		})
	}
	return errors.Join(jobs.Wait(), context.Cause(v.ctx))
}

// visit notes a blob and, below a manifest, all that it points at.
func (v *verifier) visit(platforms string, desc ocispec.Descriptor, manifest bool) {
	if !v.reach(desc, manifest, platforms) {
		return
	}
	children, subject, err := v.successors(desc)
	v.blame(desc.Digest, err)
	v.refers(desc.Digest, subject)
	for _, child := range children {
		if optional(platforms, desc, child, children) && v.source.absent(child.Digest) {
			continue
		}
		v.visit(platforms, child, IsManifest(child.MediaType))
	}
}

// optional says that a child need not be there: its platform was not selected,
// or no registry has to have it.
func optional(platforms string, desc, child ocispec.Descriptor, children []ocispec.Descriptor) bool {
	return leftOut(platforms, desc, child, children) || len(child.URLs) > 0 &&
		(strings.Contains(child.MediaType, ".nondistributable.") || strings.Contains(child.MediaType, ".foreign."))
}

// reach notes a blob, and says whether it is a manifest that is yet to be walked.
func (v *verifier) reach(desc ocispec.Descriptor, manifest bool, platforms string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := v.reached[desc.Digest]
	if n == nil {
		n = &node{desc: desc}
		v.reached[desc.Digest] = n
	}
	if n.desc.Size != desc.Size { // one of the two that point at it is wrong
		more, less := max(n.desc.Size, desc.Size), min(n.desc.Size, desc.Size)
		n.desc.Size = more
		v.bad[desc.Digest] = &MismatchError{Descriptor: n.desc, Size: less}
	}
	if !manifest {
		return false
	}
	n.manifest, n.read = true, true
	at := step{digest: desc.Digest, platforms: platforms}
	walked := v.seen[at]
	v.seen[at] = true
	return !walked
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

func (v *verifier) successors(desc ocispec.Descriptor) ([]ocispec.Descriptor, *ocispec.Descriptor, error) {
	data, err := v.source.manifest(desc)
	if err != nil {
		return nil, nil, err
	}
	if err := v.progress(int64(len(data))); err != nil {
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
