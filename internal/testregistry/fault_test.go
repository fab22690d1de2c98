package testregistry

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// get fetches a blob of 100,000 bytes under a fault.
func get(t *testing.T, r *Registry, fault Fault) (*http.Response, []byte, error) {
	t.Helper()
	blob := r.Blob("app", "", Random("blob", 100_000))
	r.Fault(First(1, "GET blob", fault))
	resp, err := r.Client().Get(r.URL + "/v2/app/blobs/" + blob.Digest.String())
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp, data, err
}

// everywhere runs a test over HTTP/1.1, HTTP/1.1 with TLS and HTTP/2.
func everywhere(t *testing.T, test func(t *testing.T, r *Registry)) {
	for name, o := range map[string]Options{"http": {}, "https": {TLS: true}, "http2": {TLS: true, HTTP2: true}} {
		t.Run(name, func(t *testing.T) { test(t, New(t, o)) })
	}
}

func TestStatus(t *testing.T) {
	r := New(t, Options{})
	resp, data, err := get(t, r, Status(http.StatusTooManyRequests, "7"))
	if err != nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "7" {
		t.Errorf("%v %v", resp, err)
	}
	if !strings.Contains(string(data), "errors") {
		t.Errorf("body %q", data)
	}
	resp = ask(t, r, "GET", resp.Request.URL.Path, "")
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the second one: %s", resp.Status)
	}
}

func TestReset(t *testing.T) {
	everywhere(t, func(t *testing.T, r *Registry) {
		if resp, _, err := get(t, r, Reset()); err == nil {
			t.Errorf("no error, %s", resp.Status)
		}
	})
	if _, _, err := get(t, New(t, Options{}), Reset()); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%v is no reset", err)
	}
}

func TestResetInMidUpload(t *testing.T) {
	r := New(t, Options{})
	r.Fault(Always("PUT upload", ResetAfter(1000)))
	at := ask(t, r, "POST", "/v2/a/blobs/uploads/", "").Header.Get("Location")
	req, err := http.NewRequestWithContext(t.Context(), "PUT", r.URL+at+"?digest=sha256:x", strings.NewReader(strings.Repeat("x", 10_000_000)))
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := r.Client().Do(req); err == nil {
		t.Errorf("no error, %s", resp.Status)
	}
}

func TestCut(t *testing.T) {
	everywhere(t, func(t *testing.T, r *Registry) {
		resp, data, err := get(t, r, Cut(70_000))
		if err == nil || len(data) != 70_000 {
			t.Errorf("%d bytes, %v", len(data), err)
		}
		if resp == nil || resp.ContentLength != 100_000 {
			t.Errorf("announced %+v", resp)
		}
	})
}

func TestFlip(t *testing.T) {
	_, data, err := get(t, New(t, Options{}), Flip(70_000))
	if err != nil {
		t.Fatal(err)
	}
	want := Random("blob", 100_000)
	for i := range want {
		if wrong := data[i] != want[i]; wrong != (i == 70_000) {
			t.Fatalf("byte %d: %x, want %x", i, data[i], want[i])
		}
	}
}

func TestWrongLength(t *testing.T) {
	resp, data, err := get(t, New(t, Options{}), WrongLength(99_000))
	if err != nil || resp.ContentLength != 99_000 || len(data) != 99_000 {
		t.Errorf("shorter: announced %+v, %d bytes, %v", resp, len(data), err)
	}
	resp, data, err = get(t, New(t, Options{}), WrongLength(101_000))
	if !errors.Is(err, io.ErrUnexpectedEOF) || resp.ContentLength != 101_000 || len(data) != 100_000 {
		t.Errorf("longer: announced %+v, %d bytes, %v", resp, len(data), err)
	}
}

func TestStallEndsWithItsRelease(t *testing.T) {
	for name, stall := range map[string]func(released <-chan struct{}) Fault{
		"before": Stall,
		"in":     func(released <-chan struct{}) Fault { return StallAt(50_000, released) },
	} {
		t.Run(name, func(t *testing.T) {
			released := make(chan struct{})
			r := New(t, Options{})
			blob := r.Blob("app", "", Random("blob", 100_000))
			arrived := make(chan struct{}, 2)
			r.Fault(func(*http.Request, int) Fault {
				arrived <- struct{}{}
				return stall(released)
			})
			path := r.URL + "/v2/app/blobs/" + blob.Digest.String()
			lengths := make(chan int, 2)
			for range 2 {
				go func() {
					resp, err := r.Client().Get(path)
					if err != nil {
						lengths <- -1
						return
					}
					defer resp.Body.Close()
					data, _ := io.ReadAll(resp.Body)
					lengths <- len(data)
				}()
			}
			<-arrived
			<-arrived
			if n := r.InFlight(); n != 2 {
				t.Errorf("%d in flight", n)
			}
			close(released)
			if a, b := <-lengths, <-lengths; a != 100_000 || b != 100_000 {
				t.Errorf("%d and %d bytes", a, b)
			}
			if r.MaxInFlight() != 2 {
				t.Errorf("%d in flight", r.MaxInFlight())
			}
		})
	}
}

// The end of a test must not wait for a stall that is never released.
func TestStallEndsWithTheRegistry(t *testing.T) {
	done := make(chan error, 1)
	body, feed := io.Pipe() // a request whose body never comes
	t.Run("", func(t *testing.T) {
		r := New(t, Options{})
		at := ask(t, r, "POST", "/v2/a/blobs/uploads/", "").Header.Get("Location")
		arrived := make(chan struct{}, 1)
		r.Fault(func(*http.Request, int) Fault {
			arrived <- struct{}{}
			return Stall(nil)
		})
		req, err := http.NewRequest("PUT", r.URL+at, body)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := r.Client().Do(req)
			done <- err
		}()
		<-arrived
	})
	feed.Close()
	if err := <-done; err == nil {
		t.Error("the stalled request was answered")
	}
}

func TestCountsOfFaults(t *testing.T) {
	r := New(t, Options{})
	a, b := r.Blob("app", "", []byte("a")), r.Blob("app", "", []byte("b"))
	r.Fault(First(2, "GET blob", Status(http.StatusServiceUnavailable, "")))
	var statuses []int
	for _, desc := range []string{a.Digest.String(), a.Digest.String(), b.Digest.String(), a.Digest.String()} {
		statuses = append(statuses, ask(t, r, "GET", "/v2/app/blobs/"+desc, "").StatusCode)
	}
	if statuses[0] != 503 || statuses[1] != 503 || statuses[2] != 503 || statuses[3] != 200 {
		t.Errorf("statuses %v", statuses)
	}
	if n := r.URLs()["GET /v2/app/blobs/"+a.Digest.String()]; n != 3 || len(r.Requests()) != 4 {
		t.Errorf("%d times, %v", n, r.Requests())
	}
	r.ResetCounts()
	if r.Count("GET blob") != 0 || r.MaxInFlight() != 0 {
		t.Errorf("after the reset: %v", r.Counts())
	}
}

func TestRateAndDelay(t *testing.T) {
	r := New(t, Options{})
	blob := r.Blob("app", "", Random("blob", 50_000))
	r.SetRate(1_000_000)
	r.SetDelay(20 * time.Millisecond)
	began := time.Now()
	if got := text(t, ask(t, r, "GET", "/v2/app/blobs/"+blob.Digest.String(), "")); len(got) != 50_000 {
		t.Errorf("%d bytes", len(got))
	}
	// A lower bound: a busy machine can only be slower.
	if took := time.Since(began); took < 65*time.Millisecond {
		t.Errorf("50,000 bytes at 1,000,000 a second and 20 ms took %v", took)
	}
}
