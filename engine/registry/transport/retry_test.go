package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oras.land/oras-go/v2/registry/remote/errcode"
)

func TestPassingFaultsAreTriedAgain(t *testing.T) {
	status := func(code int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { w.WriteHeader(code) }
	}
	faults := map[string]func(http.ResponseWriter){
		"408": status(408), "425": status(425), "429": status(429), "500": status(500),
		"502": status(502), "503": status(503), "504": status(504),
		"end of file before the headers": func(http.ResponseWriter) { breakOff() },
		"reset": func(w http.ResponseWriter) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		},
		"body cut off": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte(`{"schema`))
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			r, c := repository(t, func(w http.ResponseWriter, req *http.Request) {
				if n.Add(1) == 1 {
					// It is alive. On a used connection net/http would try again itself.
					w.Header().Set("Connection", "close")
					w.WriteHeader(http.StatusNotFound)
				} else if n.Load() <= 3 {
					fault(w)
				} else {
					giveManifest(w, req, imageManifest)
				}
			})
			r.FetchManifest(t.Context(), "none")
			_, data, err := r.FetchManifest(t.Context(), "v1")
			noError(t, err)
			equal(t, "manifest", string(data), string(imageManifest))
			equal(t, "requests", n.Load(), 4)
			if want := []time.Duration{time.Second, 2 * time.Second}; !slices.Equal(c.Sleeps(), want) {
				t.Errorf("slept %v, want %v", c.Sleeps(), want)
			}
		})
	}
}

func TestSixTriesWithGrowingPauses(t *testing.T) {
	var n atomic.Int32
	r, c := repository(t, func(w http.ResponseWriter, req *http.Request) {
		n.Add(1)
		giveError(w, http.StatusServiceUnavailable, "UNAVAILABLE", "asleep")
	})
	_, _, err := r.FetchManifest(t.Context(), "v1")
	var response *errcode.ErrorResponse
	if !errors.As(err, &response) || response.StatusCode != 503 {
		t.Fatalf("got %v", err)
	}
	if !strings.HasSuffix(err.Error(), "/test/repo:v1: fetch: 503 service unavailable: asleep") {
		t.Errorf("error reads %q", err)
	}
	equal(t, "requests", n.Load(), 6)
	want := []time.Duration{1, 2, 4, 8, 16}
	for i := range want {
		want[i] *= time.Second
	}
	if !slices.Equal(c.Sleeps(), want) {
		t.Errorf("slept %v, want %v", c.Sleeps(), want)
	}
	equal(t, "retries counted", r.host.stats.counts()["retries"], 5)
}

func TestBackoffIsAtMostThirtySeconds(t *testing.T) {
	h := newHealth("r", RetryOptions{Jitter: func() float64 { return 1 }}.withDefaults())
	h.answered = true
	for _, test := range []struct {
		try   int
		wait  time.Duration
		again bool
	}{{1, time.Second, true}, {5, 16 * time.Second, true}, {6, 30 * time.Second, false}, {20, 30 * time.Second, false}} {
		wait, again := h.delay(test.try, time.Now())
		equal(t, "wait", wait, test.wait)
		equal(t, "again", again, test.again)
	}
	h.retry.Jitter = func() float64 { return 0 }
	wait, _ := h.delay(1, time.Now())
	equal(t, "least wait", wait, 500*time.Millisecond)
}

func TestSilentRegistryIsGivenUpSoon(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	noError(t, err)
	host := listener.Addr().String()
	listener.Close()
	c := newClock()
	r := open(t, newRegistries(c.options(t)), host, "test/repo")
	started := c.Now()
	_, err = r.Resolve(t.Context(), "v1")
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("got %v", err)
	}
	equal(t, "pauses", len(c.Sleeps()), 3)
	if took := c.Now().Sub(started); took >= 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestUnknownHostIsNotTriedAgain(t *testing.T) {
	for _, err := range []error{
		&net.DNSError{Err: "no such host", IsNotFound: true},
		http.ErrSchemeMismatch,
		&DownError{Registry: "r"},
	} {
		if !IsPermanent(fmt.Errorf("wrapped: %w", err)) {
			t.Errorf("%v is tried again", err)
		}
	}
	for _, err := range []error{&net.DNSError{IsTimeout: true}, context.DeadlineExceeded, errors.New("http2: client connection lost")} {
		if IsPermanent(err) {
			t.Errorf("%v is not tried again", err)
		}
	}
}

func TestRetryAfterIsWaitedOutWhole(t *testing.T) {
	type answer struct {
		value func(now time.Time) string
		ahead time.Duration // the registry's clock before ours
	}
	date := func(now time.Time) string { return now.Add(10 * time.Minute).Format(http.TimeFormat) }
	for name, a := range map[string]answer{
		"seconds":               {value: func(time.Time) string { return "600" }},
		"point in time":         {value: func(now time.Time) string { return fmt.Sprint(now.Add(10 * time.Minute).Unix()) }},
		"date":                  {value: date},
		"date, our clock late":  {value: date, ahead: 7 * time.Hour},
		"date, our clock early": {value: date, ahead: -7 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			var r *Repository
			var c *clock
			var n atomic.Int32
			r, c = repository(t, func(w http.ResponseWriter, req *http.Request) {
				if n.Add(1) == 1 {
					w.Header().Set("Date", c.Now().Add(a.ahead).Format(http.TimeFormat))
					w.Header().Set("Retry-After", a.value(c.Now().Add(a.ahead)))
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				giveManifest(w, req, imageManifest)
			})
			started := c.Now()
			_, err := r.Resolve(t.Context(), "v1")
			noError(t, err)
			if took := c.Now().Sub(started); took < 10*time.Minute || took > 10*time.Minute+2*time.Second {
				t.Errorf("waited %v", took)
			}
		})
	}
}

func TestRetryAfterHoldsForAllOfTheRegistry(t *testing.T) {
	var n atomic.Int32
	var c *clock
	var again time.Time
	first, c := repository(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.URL.Path, "/manifests/busy") && n.Add(1) == 1 {
			again = c.Now().Add(5 * time.Minute)
			w.Header().Set("Retry-After", "300")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		if c.Now().Before(again) {
			t.Errorf("%s came during the pause", req.URL.Path)
		}
		giveManifest(w, req, imageManifest)
	})
	second := &Repository{Client: first.host.Client("other/repo"), name: "other/repo"}
	req, err := first.Request(t.Context(), http.MethodGet, first.url("manifests", "busy"), nil)
	noError(t, err)
	// One try, past the retries, sets the pause.
	resp, err := first.host.http.Transport.(*retrier).next.RoundTrip(req)
	noError(t, err)
	resp.Body.Close()
	_, err = second.Resolve(t.Context(), "v1")
	noError(t, err)
	equal(t, "requests that were turned away", n.Load(), 1)
}

func TestTooLongAPauseIsAnError(t *testing.T) {
	var n atomic.Int32
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		n.Add(1)
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	for range 2 { // the second one is not even sent
		_, err := r.Resolve(t.Context(), "v1")
		var limited *RateLimitError
		if !errors.As(err, &limited) || limited.Registry != r.host.name || limited.RetryAfter < 59*time.Minute {
			t.Fatalf("got %v", err)
		}
	}
	equal(t, "requests", n.Load(), 1)
}

func TestRegistryIsDownAfterEightDifferentFailures(t *testing.T) {
	var n atomic.Int32
	r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
		n.Add(1)
		if strings.HasSuffix(req.URL.Path, "good") {
			giveManifest(w, req, imageManifest)
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	})
	bad := func(i int) error {
		_, err := r.Resolve(t.Context(), fmt.Sprintf("bad%d", i))
		return err
	}
	for range 10 { // the same one again and again is one
		equal(t, "status", Status(bad(0)), 502)
	}
	for i := range 7 {
		bad(i)
	}
	_, err := r.Resolve(t.Context(), "good") // and not in a row
	noError(t, err)
	for i := range 8 {
		equal(t, "status", Status(bad(10+i)), 502)
	}
	sent := n.Load()
	err = bad(20)
	var down *DownError
	if !errors.As(err, &down) || down.Registry != r.host.name || !strings.Contains(err.Error(), "502 bad gateway") {
		t.Fatalf("got %v", err)
	}
	if _, err := r.Resolve(t.Context(), "good"); !errors.As(err, &down) {
		t.Errorf("the registry is not down: %v", err)
	}
	equal(t, "requests after it was down", n.Load()-sent, 0)
}

func TestCancelledRequestsCountForNothing(t *testing.T) {
	r, c := repository(t, func(w http.ResponseWriter, req *http.Request) { giveManifest(w, req, imageManifest) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 20 {
		if _, err := r.Resolve(ctx, fmt.Sprintf("v%d", i)); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
	}
	_, err := r.Resolve(t.Context(), "v1")
	noError(t, err)
	equal(t, "pauses", len(c.Sleeps()), 0)
}

// TestPausesHoldNoSlot allows one request at once: a request in back-off must not hold the
// slot.
func TestPausesHoldNoSlot(t *testing.T) {
	c := newClock()
	o := c.options(t)
	o.Concurrency = 1
	var r *Repository
	var inner sync.Once
	o.Retry.Sleep = func(ctx context.Context, d time.Duration) error {
		inner.Do(func() {
			if _, err := r.Resolve(ctx, "other"); err != nil {
				t.Error(err)
			}
		})
		return c.Sleep(ctx, d)
	}
	var n atomic.Int32
	r = open(t, newRegistries(o), serve(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "v1") && n.Add(1) == 1 {
			giveError(w, 503, "UNAVAILABLE", "later")
			return
		}
		giveManifest(w, req, imageManifest)
	}), "test/repo")
	_, err := r.Resolve(t.Context(), "v1")
	noError(t, err)
}
