package engine

import (
	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// delivery is one artifact on its way to one place.
type delivery struct {
	name   string // the full source reference, or what the layout calls it
	listed listedKey
	source string // the repository that it came from; "" if unknown
	root   descriptor
	target config.Target
	path   string // repository under the target's registry
	tag    string // "" for one that is restored by digest
	repo   *registry.Repository
	scope  *scope

	visit   *visit
	fresh   bool                   // the registry knows no such repository yet
	answer  *answer                // what the target said of the reference; nil if it was not asked first
	present bool                   // the target has the root
	lacks   map[*visit]bool        // what it lacks all the same
	changes bool                   // the tag has another digest
	was     digest.Digest          // that one
	skipped bool                   // and stays as it is
	subject digest.Digest          // of what cosign keeps under a tag; "" for others
	parent  *delivery              // the artifact of this run that it belongs to, if any
	beside  []*delivery            // those whose parent this is
	open    int                    // of it and of those, how many have not settled; until they are known -1 if it has; guarded by restore.mu
	refers  []digest.Digest        // referrers that go along, sorted
	old     []digest.Digest        // of indexes of it that were rewritten
	pending int                    // uploads that it waits for; guarded by restore.mu
	again   bool                   // some of it was found missing there, and is pushed once more
	done    bool                   // it is whole in the target
	fault   error                  // why it cannot be restored at all
	nowhere bool                   // that is its name: no place is known for it
	failure error                  // of such an upload; guarded by restore.mu
	spares  map[digest.Digest]bool // layers that need not come
	err     error
}

// destination is the full reference that the artifact gets; "" for none.
func (d *delivery) destination() string {
	if d.nowhere {
		return ""
	}
	name := d.target.Registry
	if d.path != "" {
		name += "/" + d.path
	}
	if d.tag == "" {
		return name + "@" + d.root.digest.String()
	}
	return name + ":" + d.tag
}

func (d *delivery) reference() string {
	if d.tag == "" {
		return d.root.digest.String()
	}
	return d.tag
}

// place is a manifest in the repository that the delivery goes to.
func (d *delivery) place(of digest.Digest) placeKey {
	return placeKey{d.target.Registry + "/" + d.path, of}
}

// lacking tells whether a manifest of the delivery has to be pushed.
func (d *delivery) lacking(v *visit) bool { return !d.present || d.lacks[v] }

// whole returns the result of a delivery and of what cosign attached to it, when
// nothing is under way any more.
func (d *delivery) whole() ArtifactReport {
	seen := make(map[digest.Digest]bool)
	r := ArtifactReport{Reference: d.name, Target: d.destination(), Digest: d.root.digest, Err: d.err, Unchanged: d.unchanged()}
	if d.overwrote() {
		r.Overwritten = d.was
	}
	r.count(d, seen)
	for _, b := range d.beside {
		r.count(b, seen)
		r.Unchanged = r.Unchanged && b.unchanged()
		if b.err != nil && r.Err == nil {
			r.Err = &ReferrersError{Reference: d.name, Err: b.err}
		}
	}
	return r
}

func (d *delivery) unchanged() bool {
	return d.err == nil && !d.again && (d.skipped || d.present && len(d.lacks) == 0)
}

// count adds what a delivery consists of. seen knows what was counted.
func (r *ArtifactReport) count(d *delivery, seen map[digest.Digest]bool) {
	if d.visit == nil || d.visit.err != nil {
		return
	}
	if !d.skipped {
		came := len(d.refers)
		if d.parent != nil {
			came++
		}
		r.Expected += came
		if d.err == nil {
			r.Referrers += came
		}
	}
	add := func(part descriptor) {
		if !seen[part.digest] {
			seen[part.digest] = true
			r.Bytes = bounds.Sum(r.Bytes, part.size)
		}
	}
	d.visit.all(func(v *visit) {
		for _, part := range v.parts() {
			add(part)
		}
	})
}

// partKey is a manifest or a blob in a registry.
type partKey struct {
	registry string
	contentKey
}

// belongings are the manifests and blobs that artifacts consist of in the registries
// that they go to.
type belongings struct {
	sent  map[moveKey]bool
	seen  map[partKey]bool
	there int64 // bytes of them that were not sent
}

// add returns how many bytes of an artifact no artifact before it has.
func (p *belongings) add(d *delivery) (fresh int64) {
	registry := d.target.Registry
	for _, of := range append([]*delivery{d}, d.beside...) {
		if of.visit == nil || of.visit.err != nil {
			continue
		}
		of.visit.all(func(v *visit) {
			for _, part := range v.parts() {
				key := partKey{registry, part.key()}
				if p.seen[key] {
					continue
				}
				p.seen[key] = true
				fresh = bounds.Sum(fresh, part.size)
				if !p.sent[moveKey{registry, part.digest}] {
					p.there = bounds.Sum(p.there, part.size)
				}
			}
		})
	}
	return fresh
}
