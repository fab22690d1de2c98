package progress

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// Tracker hears what the engine does and shows it on a screen. What the engine
// calls only counts or appends: one goroutine of its own does all the writing,
// so that a terminal that is held with ^S holds nothing else. That goroutine has
// the teller and the screen for itself until close.
type Tracker struct {
	listed, resolved, finished, failed atomic.Int64
	expected, moved                    atomic.Int64 // bytes
	moving                             atomic.Pointer[string]

	mu    sync.Mutex // guards heard
	heard []Event

	teller Teller
	screen Screen
	end    chan struct{} // closed by close
	ended  chan struct{} // closed when the last word is written
}

var _ engine.Progress = (*Tracker)(nil)

// Event is something that is told once and for good.
type Event struct {
	Artifact *engine.ArtifactReport // that is whole, or has failed
	Nth      int                    // of those that are whole
	Notice   string
}

// Screen is where progress is seen. It is called from one goroutine.
type Screen interface {
	// Interval is how often it wants to hear something.
	Interval() time.Duration
	// Show prints lines for good, then where the run stands, if it wants to.
	Show(now time.Time, lines []string, at State)
	// Close takes away what is not for good.
	Close()
}

// Teller puts into words what happened. It is called from one goroutine.
type Teller interface {
	// Tell returns the lines that say what happened.
	Tell(Event) []string
	// Clean makes a text fit to be seen.
	Clean(string) string
	// Retry returns the request that is being retried, if any.
	Retry() Retry
}

// Start shows a run on a screen until close.
func Start(t Teller, s Screen) *Tracker {
	p := New(t, s)
	go p.run(time.Now)
	return p
}

// New returns the progress of a run that shows nothing yet.
func New(t Teller, s Screen) *Tracker {
	return &Tracker{teller: t, screen: s, end: make(chan struct{}), ended: make(chan struct{})}
}

func (p *Tracker) run(now func() time.Time) {
	defer close(p.ended)
	ticker := time.NewTicker(p.screen.Interval())
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.Show(now())
		case <-p.end:
			p.Show(now())
			p.screen.Close()
			return
		}
	}
}

func (p *Tracker) Show(now time.Time) {
	var lines []string
	for _, h := range p.take() {
		lines = append(lines, p.teller.Tell(h)...)
	}
	at := p.State()
	at.Moving = p.teller.Clean(at.Moving)
	at.Retry = p.teller.Retry()
	p.screen.Show(now, lines, at)
}

// Close prints what is left to print and returns when the screen is clear.
func (p *Tracker) Close() {
	close(p.end)
	<-p.ended
}

func (p *Tracker) take() []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := p.heard
	p.heard = nil
	return heard
}

func (p *Tracker) hear(h Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, h)
}

func (p *Tracker) State() State {
	s := State{
		Listed: int(p.listed.Load()), Resolved: int(p.resolved.Load()),
		Finished: int(p.finished.Load()), Failed: int(p.failed.Load()),
		Moved: p.moved.Load(), Expected: p.expected.Load(),
	}
	if name := p.moving.Load(); name != nil {
		s.Moving = *name
	}
	return s
}

func (p *Tracker) Listed(n int) { p.listed.Add(int64(n)) }

func (p *Tracker) Resolved() { p.resolved.Add(1) }

func (p *Tracker) Moving(name string) { p.moving.Store(&name) }

func (p *Tracker) Moved(n int64) { p.moved.Add(n) }

func (p *Tracker) Notice(message string) { p.hear(Event{Notice: message}) }

// Expect adds what a manifest says of a blob, which may be any number.
func (p *Tracker) Expect(bytes int64) {
	for {
		was := p.expected.Load()
		if p.expected.CompareAndSwap(was, bounds.Sum(was, bytes)) {
			return
		}
	}
}

func (p *Tracker) Finished(a engine.ArtifactReport) {
	p.hear(Event{Artifact: &a, Nth: int(p.finished.Add(1))})
}

// Failed tells a failure when it happens: who sees it may want to end the run.
func (p *Tracker) Failed(a engine.ArtifactReport) {
	p.failed.Add(1)
	p.hear(Event{Artifact: &a})
}

// Missing is how many bytes of disk a run would have needed at least that found
// it full at path; 0 if nobody can know.
func (p *Tracker) Missing(path string) int64 {
	free, known := store.Free(path)
	if !known {
		return 0
	}
	return max(0, p.expected.Load()-p.moved.Load()-free)
}
