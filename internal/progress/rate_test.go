package progress

import (
	"testing"
	"time"
)

func TestRate(t *testing.T) {
	var r Rate
	start := time.Now()
	for second, want := range []float64{0, 100, 100, 100} {
		if got := r.Measure(start.Add(time.Duration(second)*time.Second), int64(second)*100); got != want {
			t.Errorf("after %d s: %v, want %v", second, got, want)
		}
		if got := r.Measure(start.Add(time.Duration(second)*time.Second+time.Millisecond), 1<<40); got != want {
			t.Errorf("within a second it is %v", got)
		}
	}
	for second := 4; second < 30; second++ { // it stalls
		r.Measure(start.Add(time.Duration(second)*time.Second), 300)
	}
	if got := r.Measure(start.Add(30*time.Second), 300); got != 0 {
		t.Errorf("after a long stall: %v", got)
	}
}
