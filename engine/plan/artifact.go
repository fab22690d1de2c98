package plan

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/internal/scope"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// Artifact is one root of a plan.
type Artifact struct {
	Number   int // its place in the plan
	Ref      config.Reference
	Name     string // in index.json
	origin   origin.Origin
	Scope    *scope.Scope
	Root     content.Descriptor
	Visit    *graph.Visit
	Err      error
	together *siblings // the roots that were listed with this one
	Layout   string    // the one on disk that it comes from; "" for a registry
	from     string    // the position in a spec, or the argument, that selects it
	From     string    // where the reference was found: config.Selection.From
	rare     *rare     // nil: none of it
	found    []byte    // the root's bytes, between its two stages
	leads    bool      // they refer to another manifest
	judged   bool      // the digest of Ref is not asked for: the quarantine admits it

	lacks    []config.Platform // wanted platforms without an image
	resolved chan struct{}     // closed when the graph is known; nil once that was seen
}

// rare has the properties of few artifacts, so that the others need no memory for them.
type rare struct {
	repo     string
	signedBy []string
}

// few returns the rare part of an artifact, to be written.
func (a *Artifact) few() *rare {
	if a.rare == nil {
		a.rare = new(rare)
	}
	return a.rare
}

// Repo returns the URL of the Helm repository of a chart; "" for a registry and a layout.
func (a *Artifact) Repo() string {
	if a.rare == nil {
		return ""
	}
	return a.rare.repo
}

// SignedBy returns the signers that a policy accepted, sorted.
func (a *Artifact) SignedBy() []string {
	if a.rare == nil {
		return nil
	}
	return a.rare.signedBy
}

// Selected returns the reference by which the artifact is selected.
func (a *Artifact) Selected() config.Reference {
	ref := a.Ref
	if a.judged {
		ref.Digest = ""
	}
	return ref
}

// Origin returns the origin of the artifact; nil if it could not be opened.
func (a *Artifact) Origin() origin.Origin { return a.origin }

// Mirror returns the mirror that answered for the reference; "" for the registry itself.
func (a *Artifact) Mirror() string { return origin.MirrorOf(a.origin, a.Ref) }

// artifactError adds the reference to an error without one.
func artifactError(ref config.Reference, op string, err error) error {
	return &engine.ArtifactError{Reference: ref.String(), Op: op, Err: err}
}

// Report returns the report of an artifact as far as the plan knows it: for one that failed,
// only its name and its error.
func (a *Artifact) Report() engine.ArtifactReport {
	r := engine.ArtifactReport{Reference: a.Name, Layout: a.Layout, Mirror: a.Mirror(), From: a.From, Digest: a.Root.Digest, SignedBy: a.SignedBy(), Err: a.Err}
	if a.Ref.Tag != "" && a.Ref.Digest != "" {
		r.Pinned, r.Digest = true, a.Ref.Digest
	}
	if a.Visit == nil || a.Visit.Err != nil {
		return r
	}
	seen := make(map[content.Key]bool)
	a.Visit.All(func(v *graph.Visit) {
		for _, part := range v.Parts() {
			if !seen[part.Key()] {
				seen[part.Key()] = true
				r.Bytes = bounds.Sum(r.Bytes, part.Size)
			}
		}
	})
	r.Expected = a.expects()
	if a.Err == nil {
		r.Referrers = r.Expected
	}
	return r
}

// expects counts the referrers that should come along: those that were found, those that were
// listed and failed, and at least those that a lock pins.
func (a *Artifact) expects() int {
	found := make(map[digest.Digest]bool)
	lost := 0
	a.Visit.All(func(v *graph.Visit) {
		lost += v.Lost
		for _, r := range v.Referrers {
			found[r.Node.Digest] = true
		}
		for _, r := range v.Attached {
			found[r.Node.Digest] = true
		}
	})
	return max(len(found)+lost, len(a.Scope.Digests))
}

// Unpinned returns an error that is errdef.ErrNotFound if a referrer that a lock
// pins is gone: referrers are found in lists, which may get shorter.
func (a *Artifact) Unpinned() error {
	found := make(map[digest.Digest]bool)
	_ = a.Visit.Referring(func(v *graph.Visit, _ string) { found[v.Node.Digest] = true }) // the caller has its error
	for _, d := range a.Scope.Digests {
		if !found[d] {
			return fmt.Errorf("%s@%s: the referrer is gone: %w", a.Ref.Name(), d, errdef.ErrNotFound)
		}
	}
	return nil
}

// Platforms returns the platforms that the artifact is cut down to, as index.json and locks name
// them: linux/arm64/v8 only where there are images for linux/arm64 that it does not take.
func (a *Artifact) Platforms() []config.Platform {
	named := slices.Clone(a.Scope.Platforms)
	for i, p := range named {
		general, same := p.WithoutDefaultVariant(), true
		a.Visit.Core(func(v *graph.Visit) {
			for _, c := range v.Node.Children {
				same = same && (!scope.HasPlatform(c) || scope.IsFor(c, general) == scope.IsFor(c, p))
			}
		})
		if same {
			named[i] = general
		}
	}
	return config.DistinctPlatforms(named)
}

// findPlatforms records the wanted platforms that an index lacks. It returns an
// *engine.PlatformError if the index has none of them.
func (a *Artifact) findPlatforms() error {
	missing, sound := a.Visit.MissingPlatforms(a.Scope.Platforms)
	if sound {
		a.lacks = missing
		return nil
	}
	var children []ocispec.Descriptor
	a.Visit.Core(func(v *graph.Visit) { children = append(children, v.Node.Children...) })
	return &engine.PlatformError{Reference: a.Ref.String(), Wanted: a.Scope.Platforms, Have: scope.PlatformsIn(children)}
}
