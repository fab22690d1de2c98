package progress

import (
	"time"
)

// Rate measures how fast bytes move: over the last seconds, and again once a
// second, so that what is shown can be read. The zero value has measured nothing.
type Rate struct{ samples []sample }

type sample struct {
	at    time.Time
	moved int64 // bytes
}

const (
	paceStep   = time.Second
	paceWindow = 8 * time.Second
)

// Measure takes note of the bytes that have moved by now, and returns how many
// move in a second; 0 in the first one.
func (p *Rate) Measure(now time.Time, moved int64) float64 {
	n := len(p.samples)
	if n == 0 || now.Sub(p.samples[n-1].at) >= paceStep {
		p.samples = append(p.samples, sample{now, moved})
		for len(p.samples) > 2 && now.Sub(p.samples[1].at) >= paceWindow {
			p.samples = p.samples[1:]
		}
	}
	first, last := p.samples[0], p.samples[len(p.samples)-1]
	if last.at == first.at {
		return 0
	}
	return float64(max(0, last.moved-first.moved)) / last.at.Sub(first.at).Seconds()
}
