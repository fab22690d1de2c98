package main

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
)

// namedArtifacts is how many finished artifacts get a line of their own. A log
// of 500 lines can still be read; beyond it counts say more than names.
const namedArtifacts = 500

// progress hears what the engine does and shows it on a screen. What the engine
// calls only counts or appends: one goroutine of its own does all the writing,
// so that a terminal that is held with ^S holds nothing else.
type progress struct {
	listed, resolved, finished, failed atomic.Int64
	expected, moved                    atomic.Int64 // bytes
	moving                             atomic.Pointer[string]

	mu    sync.Mutex // guards lines
	lines []string   // to be printed

	screen screen
	end    chan struct{} // closed by close
	ended  chan struct{} // closed when the last word is written
}

var _ engine.Progress = (*progress)(nil)

// screen is where progress is seen. It is called from one goroutine.
type screen interface {
	// interval is how often it wants to hear something.
	interval() time.Duration
	// show prints lines for good, then where the run stands, if it wants to.
	show(now time.Time, lines []string, at standing)
	// close takes away what is not for good.
	close()
}

// standing is where a run stands.
type standing struct {
	listed, resolved, finished, failed int
	expected, moved                    int64 // bytes
	moving                             string
}

// done is the number of artifacts about which nothing more will be heard.
func (s standing) done() int { return s.finished + s.failed }

// startProgress shows a run on u until close.
func startProgress(u *ui) *progress {
	p := &progress{screen: u.screen(), end: make(chan struct{}), ended: make(chan struct{})}
	go p.run(time.Now)
	return p
}

func (p *progress) run(now func() time.Time) {
	defer close(p.ended)
	ticker := time.NewTicker(p.screen.interval())
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.screen.show(now(), p.take(), p.standing())
		case <-p.end:
			p.screen.show(now(), p.take(), p.standing())
			p.screen.close()
			return
		}
	}
}

// close prints what is left to print and returns when the screen is clear.
func (p *progress) close() {
	close(p.end)
	<-p.ended
}

func (p *progress) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	lines := p.lines
	p.lines = nil
	return lines
}

func (p *progress) print(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, line)
}

func (p *progress) standing() standing {
	s := standing{
		listed: int(p.listed.Load()), resolved: int(p.resolved.Load()),
		finished: int(p.finished.Load()), failed: int(p.failed.Load()),
		moved: p.moved.Load(), expected: p.expected.Load(),
	}
	if name := p.moving.Load(); name != nil {
		s.moving = *name
	}
	return s
}

func (p *progress) Listed(n int)                { p.listed.Add(int64(n)) }
func (p *progress) Resolved(string)             { p.resolved.Add(1) }
func (p *progress) Expect(_ int, bytes int64)   { p.expected.Add(bytes) }
func (p *progress) Moving(name string, _ int64) { p.moving.Store(&name) }
func (p *progress) Moved(n int64)               { p.moved.Add(n) }
func (p *progress) Notice(message string)       { p.print(note + message) }

// Failed only counts: failures are listed last, each with its reason.
func (p *progress) Failed(engine.ArtifactReport) { p.failed.Add(1) }

// Finished names the artifact, or from some number on every tenth, hundredth or
// thousandth count.
func (p *progress) Finished(a engine.ArtifactReport) {
	n := int(p.finished.Add(1))
	switch {
	case n <= namedArtifacts:
		p.print(finishedLine(a))
	case n%magnitude(n) == 0:
		p.print(count(n, "artifact") + " done")
	}
}

func finishedLine(a engine.ArtifactReport) string {
	name := a.Reference
	if a.Target != "" {
		name += " -> " + a.Target
	}
	return name + " (" + bytesText(a.Bytes) + ")"
}

// magnitude is the largest power of ten that is not larger than n.
func magnitude(n int) int {
	m := 1
	for m*10 <= n {
		m *= 10
	}
	return m
}
