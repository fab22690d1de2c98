package progress

import "time"

// Rate measures bytes per second over the last eight seconds. It changes once a second, so
// that the number can be read. The zero value is ready to use.
type Rate struct{ samples []sample }

type sample struct {
	at    time.Time
	moved int64 // bytes
}

const (
	rateStep   = time.Second
	rateWindow = 8 * time.Second
)

// Measure records the bytes moved until now and returns the bytes per second; 0 in the
// first second.
func (r *Rate) Measure(now time.Time, moved int64) float64 {
	n := len(r.samples)
	if n == 0 || now.Sub(r.samples[n-1].at) >= rateStep {
		r.samples = append(r.samples, sample{now, moved})
		for len(r.samples) > 2 && now.Sub(r.samples[1].at) >= rateWindow {
			r.samples = r.samples[1:]
		}
	}
	first, last := r.samples[0], r.samples[len(r.samples)-1]
	if last.at == first.at {
		return 0
	}
	return float64(max(0, last.moved-first.moved)) / last.at.Sub(first.at).Seconds()
}
