package transport

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// gauge counts requests in flight, and lets them answer only when as many as
// expected are there.
type gauge struct {
	now, most atomic.Int32
	full      chan struct{}
	want      int32
	once      sync.Once
}

func (g *gauge) enter() {
	n := g.now.Add(1)
	for m := g.most.Load(); n > m && !g.most.CompareAndSwap(m, n); m = g.most.Load() {
	}
	if n >= g.want {
		g.once.Do(func() { close(g.full) })
	}
	<-g.full
}

func (g *gauge) serve(w http.ResponseWriter, req *http.Request) {
	g.enter()
	defer g.now.Add(-1)
	giveManifest(w, req, imageManifest)
}

func TestRequestsInFlight(t *testing.T) {
	for name, test := range map[string]struct{ all, own, want int }{
		"over all":     {all: 3, own: 0, want: 3},
		"per registry": {all: 16, own: 2, want: 2},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gauge{full: make(chan struct{}), want: int32(test.want)}
			c := newClock()
			o := c.options(t)
			o.Concurrency = test.all
			o.Settings = func(string) (Settings, error) { return Settings{Concurrency: test.own}, nil }
			r := open(t, newRegistries(o), serve(t, g.serve), "test/repo")
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					if _, err := r.Resolve(t.Context(), fmt.Sprintf("v%d", i)); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			equal(t, "most in flight", g.most.Load(), int32(test.want))
		})
	}
}

// TestPlaceIsHeldUntilTheBodyIsClosed also shows that it is given back then.
func TestPlaceIsHeldUntilTheBodyIsClosed(t *testing.T) {
	data := make([]byte, 1<<20)
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) { w.Write(data) })
	slots := r.host.slots
	body, err := r.FetchBlob(t.Context(), describeBytes(data), 0, int64(len(data)))
	noError(t, err)
	equal(t, "places held", len(slots), 1)
	body.Close()
	body.Close()
	equal(t, "places held", len(slots), 0)
}

// TestBusyRegistryLeavesRoomForOthers has all requests for a registry of one
// place wait without holding places of the run.
func TestBusyRegistryLeavesRoomForOthers(t *testing.T) {
	release := make(chan struct{})
	arrived := make(chan struct{}, 8)
	slow := serve(t, func(w http.ResponseWriter, req *http.Request) {
		arrived <- struct{}{}
		<-release
		giveManifest(w, req, imageManifest)
	})
	fast := serve(t, func(w http.ResponseWriter, req *http.Request) { giveManifest(w, req, imageManifest) })
	c := newClock()
	o := c.options(t)
	o.Concurrency = 2
	o.Settings = func(host string) (Settings, error) {
		if host == slow {
			return Settings{Concurrency: 1}, nil
		}
		return Settings{}, nil
	}
	client := newRegistries(o)
	r := open(t, client, slow, "test/repo")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { r.Resolve(t.Context(), "v1") })
	}
	<-arrived
	_, err := open(t, client, fast, "test/repo").Resolve(t.Context(), "v1")
	noError(t, err)
	close(release)
	wg.Wait()
}

func TestRequestsPerSecond(t *testing.T) {
	c := newClock()
	o := c.options(t)
	o.Settings = func(string) (Settings, error) { return Settings{RequestsPerSecond: 2}, nil }
	r := open(t, newRegistries(o), serve(t, func(w http.ResponseWriter, req *http.Request) { giveManifest(w, req, imageManifest) }), "test/repo")
	started := c.Now()
	for range 12 {
		_, err := r.Resolve(t.Context(), "v1")
		noError(t, err)
	}
	// A burst of two, then one each half second.
	equal(t, "time for twelve requests", c.Now().Sub(started), 5*time.Second)
}
