package restore

import (
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

func (r *run) report(took time.Duration) *engine.Report {
	report := &engine.Report{Planned: r.planned, Moved: r.sent.bytes, Duration: took}
	have := belongings{sent: r.sent, seen: make(map[partKey]bool)}
	for _, d := range r.all {
		if d.parent != nil {
			continue
		}
		one := d.outcome()
		report.Artifacts = append(report.Artifacts, one)
		report.Referrers += one.Referrers
		report.Expected += one.Expected
		if one.Err == nil {
			report.Shared = bounds.Sum(report.Shared, max(0, one.Bytes-have.add(d)))
		}
		if one.Unchanged {
			report.Unchanged++
		}
		if one.Overwritten != "" {
			report.Overwritten++
		}
	}
	report.There = have.there
	names := make([]string, len(r.Targets))
	for i, t := range r.Targets {
		names[i] = t.String()
	}
	report.Output = strings.Join(names, ", ")
	return report
}

// outcome reports on a delivery and those beside it, once nothing of them is under way.
func (d *delivery) outcome() engine.ArtifactReport {
	seen := make(map[digest.Digest]bool)
	r := engine.ArtifactReport{Reference: d.name, Target: d.destination(), Digest: d.root.Digest, Err: d.err, Unchanged: d.unchanged()}
	if d.overwrote() {
		r.Overwritten = d.found.was
	}
	d.countInto(&r, seen)
	for _, b := range d.beside {
		b.countInto(&r, seen)
		r.Unchanged = r.Unchanged && b.unchanged()
		if b.err != nil && r.Err == nil {
			r.Err = &engine.ReferrersError{Reference: d.name, Err: b.err}
		}
	}
	return r
}

// countInto adds the referrers and the bytes of a delivery. seen has the manifests and
// blobs that were counted.
func (d *delivery) countInto(r *engine.ArtifactReport, seen map[digest.Digest]bool) {
	if !d.isWalked() {
		return
	}
	if !d.found.skipped {
		came := len(d.refers)
		if d.parent != nil {
			came++
		}
		r.Expected += came
		if d.err == nil {
			r.Referrers += came
		}
	}
	d.visit.All(func(v *graph.Visit) {
		for _, part := range v.Parts() {
			if !seen[part.Digest] {
				seen[part.Digest] = true
				r.Bytes = bounds.Sum(r.Bytes, part.Size)
			}
		}
	})
}

// partKey is a manifest or a blob in a registry.
type partKey struct {
	registry string
	graph.ContentKey
}

// belongings are the manifests and blobs that artifacts consist of in the registries
// that they go to.
type belongings struct {
	sent  *traffic
	seen  map[partKey]bool
	there int64 // bytes of them that were not sent
}

// add returns how many bytes of an artifact no artifact before it has.
func (p *belongings) add(d *delivery) (fresh int64) {
	registry := d.target.Registry
	for _, of := range append([]*delivery{d}, d.beside...) {
		if !of.isWalked() {
			continue
		}
		of.visit.All(func(v *graph.Visit) {
			for _, part := range v.Parts() {
				key := partKey{registry, part.Key()}
				if p.seen[key] {
					continue
				}
				p.seen[key] = true
				fresh = bounds.Sum(fresh, part.Size)
				if !p.sent.taken[sentKey{registry, part.Digest}] {
					p.there = bounds.Sum(p.there, part.Size)
				}
			}
		})
	}
	return fresh
}
