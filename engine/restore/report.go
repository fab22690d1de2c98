package restore

import (
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
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

// partKey identifies a manifest or a blob in a registry.
type partKey struct {
	registry string
	content.Key
}

// belongings counts the manifests and blobs of artifacts in each target registry, each once.
type belongings struct {
	sent  *traffic
	seen  map[partKey]bool
	there int64 // bytes of them that were not sent
}

// add returns how many bytes of an artifact no artifact before it has.
func (p *belongings) add(d *delivery) (fresh int64) {
	registry := d.Target.Registry
	for _, of := range append([]*delivery{d}, d.beside...) {
		if !of.isWalked() {
			continue
		}
		of.visit.Linked(func(v *graph.Visit) {
			for _, part := range v.Parts() {
				key := partKey{registry, part.Key()}
				if p.seen[key] {
					continue
				}
				p.seen[key] = true
				fresh = bounds.Sum(fresh, part.Size)
				if !p.sent.accepted[sentKey{registry, part.Digest}] {
					p.there = bounds.Sum(p.there, part.Size)
				}
			}
		})
	}
	return fresh
}
