package transport

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// TestRetryIsToldWithItsReason: OnRetry is called before the pause, its result after it.
func TestRetryIsToldWithItsReason(t *testing.T) {
	for want, fail := range map[string]func(w http.ResponseWriter){
		"503":             func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"429":             func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) },
		"connection lost": func(http.ResponseWriter) { breakOff() },
	} {
		t.Run(want, func(t *testing.T) {
			var asked atomic.Int32
			host := serve(t, func(w http.ResponseWriter, req *http.Request) {
				if asked.Add(1) <= 2 {
					fail(w)
					return
				}
				giveManifest(w, req, imageManifest)
			})
			c := newClock()
			o := c.options(t)
			var mu sync.Mutex // guards told and open
			var told []string
			open := 0
			o.Retry.OnRetry = func(registry, reason string) func() {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, registry+": "+reason)
				open++
				return func() {
					mu.Lock()
					defer mu.Unlock()
					open--
				}
			}
			r, err := newRegistries(o).Repository(host, "test/repo")
			noError(t, err)
			_, err = r.Resolve(t.Context(), "v1")
			noError(t, err)
			if want := []string{host + ": " + want, host + ": " + want}; !slices.Equal(told, want) || open != 0 {
				t.Errorf("told %q, want %q; %d are not over", told, want, open)
			}
		})
	}
}
