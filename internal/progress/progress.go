// Package progress counts what the engine does and shows it on a screen: artifacts,
// bytes, rate, time left and retries. It declares the screen that it needs and knows none.
package progress

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/disk"
)

// Tracker counts the progress of a run and shows it on a screen. The engine's calls only
// count or append: one goroutine does all the writing, so that a terminal stopped with ^S
// never blocks a transfer. That goroutine owns the teller and the screen until Close.
type Tracker struct {
	listed, resolved, finished, failed atomic.Int64
	expected, moved                    atomic.Int64 // bytes
	moving                             atomic.Pointer[string]

	mu     sync.Mutex // guards events
	events []Event    // not yet shown

	teller Teller
	screen Screen
	end    chan struct{} // closed by Close
	ended  chan struct{} // closed when the last line is written
}

var _ engine.Progress = (*Tracker)(nil)

// Event is the end of an artifact or a notice, which is shown once and stays.
type Event struct {
	Artifact *engine.ArtifactReport // finished or failed; nil for a notice
	Nth      int                    // number of the artifact among the finished ones, from 1
	Notice   string
}

// Screen shows progress. It is called from one goroutine.
type Screen interface {
	// Interval returns the time between two calls of Show.
	Interval() time.Duration
	// Show prints lines that stay, and may show the state of the run below them.
	Show(now time.Time, lines []string, at State)
	// Close removes everything that does not stay.
	Close()
}

// Teller turns events into text. It is called from one goroutine.
type Teller interface {
	// Tell returns the lines of an event.
	Tell(Event) []string
	// Clean makes a text safe to print.
	Clean(string) string
	// Retry returns the request that waits to be sent again, or the zero Retry.
	Retry() Retry
}

// Start returns a tracker that shows a run on a screen until Close.
func Start(t Teller, s Screen) *Tracker {
	p := &Tracker{teller: t, screen: s, end: make(chan struct{}), ended: make(chan struct{})}
	go p.run()
	return p
}

func (p *Tracker) run() {
	defer close(p.ended)
	ticker := time.NewTicker(p.screen.Interval())
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.show(time.Now())
		case <-p.end:
			p.show(time.Now())
			p.screen.Close()
			return
		}
	}
}

func (p *Tracker) show(now time.Time) {
	var lines []string
	for _, e := range p.takeEvents() {
		lines = append(lines, p.teller.Tell(e)...)
	}
	at := p.State()
	at.Moving = p.teller.Clean(at.Moving)
	at.Retry = p.teller.Retry()
	p.screen.Show(now, lines, at)
}

// Close shows the last events and closes the screen.
func (p *Tracker) Close() {
	close(p.end)
	<-p.ended
}

func (p *Tracker) takeEvents() []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	events := p.events
	p.events = nil
	return events
}

func (p *Tracker) addEvent(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
}

// State returns the counters as they are now.
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

// Listed adds artifacts that the run will process.
func (p *Tracker) Listed(n int) { p.listed.Add(int64(n)) }

// Resolved counts an artifact whose size is known.
func (p *Tracker) Resolved() { p.resolved.Add(1) }

// Moving sets the name that is shown as in transfer.
func (p *Tracker) Moving(name string) { p.moving.Store(&name) }

// Moved adds bytes that are transferred.
func (p *Tracker) Moved(n int64) { p.moved.Add(n) }

// Notice shows a message.
func (p *Tracker) Notice(message string) { p.addEvent(Event{Notice: message}) }

// Expect adds the bytes of a blob. The sum is bounded, since a manifest may name any size.
func (p *Tracker) Expect(bytes int64) {
	for {
		was := p.expected.Load()
		if p.expected.CompareAndSwap(was, bounds.Sum(was, bytes)) {
			return
		}
	}
}

// Finished counts an artifact that is complete and shows it.
func (p *Tracker) Finished(a engine.ArtifactReport) {
	p.addEvent(Event{Artifact: &a, Nth: int(p.finished.Add(1))})
}

// Failed counts an artifact that failed and shows the failure at once: the user may want to
// end the run.
func (p *Tracker) Failed(a engine.ArtifactReport) {
	p.failed.Add(1)
	p.addEvent(Event{Artifact: &a})
}

// Missing returns the bytes that a run which filled the disk of path still lacks, at least;
// 0 if the free space is unknown.
func (p *Tracker) Missing(path string) int64 {
	free, known := disk.Free(path)
	if !known {
		return 0
	}
	return max(0, p.expected.Load()-p.moved.Load()-free)
}
