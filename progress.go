package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// namedArtifacts is how many finished artifacts get a line of their own. A log
// of 500 lines can still be read; beyond it counts say more than names.
const namedArtifacts = 500

// progress hears what the engine does and shows it on a screen. What the engine
// calls only counts or appends: one goroutine of its own does all the writing,
// so that a terminal that is held with ^S holds nothing else. That goroutine has
// the teller and the screen for itself until close.
type progress struct {
	listed, resolved, finished, failed atomic.Int64
	expected, moved                    atomic.Int64 // bytes
	moving                             atomic.Pointer[string]

	mu    sync.Mutex // guards heard
	heard []happening

	teller teller
	screen screen
	end    chan struct{} // closed by close
	ended  chan struct{} // closed when the last word is written
}

var _ engine.Progress = (*progress)(nil)

// happening is something that is told once and for good.
type happening struct {
	artifact *engine.ArtifactReport // that is whole, or has failed
	nth      int                    // of those that are whole
	notice   string
}

// screen is where progress is seen. It is called from one goroutine.
type screen interface {
	// interval is how often it wants to hear something.
	interval() time.Duration
	// show prints lines for good, then where the run stands, if it wants to.
	show(now time.Time, lines []string, at standing)
	// close takes away what is not for good.
	close()
}

// teller puts into words what happened. It is called from one goroutine.
type teller interface {
	// tell returns the lines that say what happened.
	tell(happening) []string
	// clean makes a text fit to be seen.
	clean(string) string
	// retry returns the request that is being retried, if any.
	retry() retry
}

// startProgress shows a run on a screen until close.
func startProgress(t teller, s screen) *progress {
	p := newProgress(t, s)
	go p.run(time.Now)
	return p
}

func newProgress(t teller, s screen) *progress {
	return &progress{teller: t, screen: s, end: make(chan struct{}), ended: make(chan struct{})}
}

func (p *progress) run(now func() time.Time) {
	defer close(p.ended)
	ticker := time.NewTicker(p.screen.interval())
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.show(now())
		case <-p.end:
			p.show(now())
			p.screen.close()
			return
		}
	}
}

func (p *progress) show(now time.Time) {
	var lines []string
	for _, h := range p.take() {
		lines = append(lines, p.teller.tell(h)...)
	}
	at := p.standing()
	at.moving = p.teller.clean(at.moving)
	at.retry = p.teller.retry()
	p.screen.show(now, lines, at)
}

// close prints what is left to print and returns when the screen is clear.
func (p *progress) close() {
	close(p.end)
	<-p.ended
}

func (p *progress) take() []happening {
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := p.heard
	p.heard = nil
	return heard
}

func (p *progress) hear(h happening) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, h)
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

func (p *progress) Listed(n int)          { p.listed.Add(int64(n)) }
func (p *progress) Resolved()             { p.resolved.Add(1) }
func (p *progress) Moving(name string)    { p.moving.Store(&name) }
func (p *progress) Moved(n int64)         { p.moved.Add(n) }
func (p *progress) Notice(message string) { p.hear(happening{notice: message}) }

// Expect adds what a manifest says of a blob, which may be any number.
func (p *progress) Expect(bytes int64) {
	for {
		was := p.expected.Load()
		if p.expected.CompareAndSwap(was, bounds.Sum(was, bytes)) {
			return
		}
	}
}

func (p *progress) Finished(a engine.ArtifactReport) {
	p.hear(happening{artifact: &a, nth: int(p.finished.Add(1))})
}

// Failed tells a failure when it happens: who sees it may want to end the run.
func (p *progress) Failed(a engine.ArtifactReport) {
	p.failed.Add(1)
	p.hear(happening{artifact: &a})
}

// isFailure leaves out what merely was under way when a run was ended.
func isFailure(err error) bool {
	return err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, engine.ErrUnfinished) && !is[*stoppedError](err)
}

// missing is how many bytes of disk a run would have needed at least that found
// it full at path; 0 if nobody can know.
func (p *progress) missing(path string) int64 {
	free, known := store.Free(path)
	if !known {
		return 0
	}
	return max(0, p.expected.Load()-p.moved.Load()-free)
}
