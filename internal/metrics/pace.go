package metrics

import (
	"sync"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
)

// pace holds, for each pair of registries, when its last artifact ended.
type pace struct {
	began time.Time

	mu    sync.Mutex // guards ended
	ended map[between]time.Duration
}

// paced measures the pace of a run.
type paced struct {
	engine.Progress
	pace *pace
	now  func() time.Time
}

// Finished implements engine.Progress.
func (p *paced) Finished(a engine.ArtifactReport) {
	p.pace.add(a, p.now())
	p.Progress.Finished(a)
}

// Failed implements engine.Progress.
func (p *paced) Failed(a engine.ArtifactReport) {
	p.pace.add(a, p.now())
	p.Progress.Failed(a)
}

func (p *pace) add(a engine.ArtifactReport, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended == nil {
		p.ended = make(map[between]time.Duration)
	}
	p.ended[betweenOf(a)] = now.Sub(p.began)
}
