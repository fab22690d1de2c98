package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestStall runs in a bubble whose clock moves only when all wait.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		ctx, cancel := context.WithCancelCause(t.Context())
		context.AfterFunc(ctx, func() { pw.CloseWithError(context.Cause(ctx)) })
		ended := 0
		resp := &http.Response{Body: pr, ContentLength: -1}
		body := watch(resp, time.Minute, cancel, func() { ended++ })
		go func() {
			time.Sleep(59 * time.Second) // slow, and in time
			pw.Write(make([]byte, minProgress))
		}()
		p := make([]byte, minProgress)
		n, err := body.Read(p)
		equal(t, "bytes", n, minProgress)
		noError(t, err)
		time.Sleep(time.Hour) // a consumer that takes its time
		started := time.Now()
		_, err = body.Read(p)
		if !errors.Is(err, ErrStalled) {
			t.Errorf("got %v", err)
		}
		equal(t, "time until it was noticed", time.Since(started), time.Minute)
		body.Close()
		body.Close()
		equal(t, "times ended", ended, 1)
	})
}

// trickle sends a piece each half second, until size bytes are sent.
type trickle struct {
	data  string
	piece int
	n     int // requests
}

func (s *trickle) RoundTrip(req *http.Request) (*http.Response, error) {
	s.n++
	pr, pw := io.Pipe()
	resp := &http.Response{StatusCode: 200, Body: pr, ContentLength: int64(len(s.data)), Header: http.Header{"Content-Type": {ocispec.MediaTypeImageManifest}}}
	context.AfterFunc(req.Context(), func() { pw.CloseWithError(req.Context().Err()) })
	go func() {
		rest := s.data
		for len(rest) > 0 {
			if sleep(req.Context(), time.Second/2) != nil {
				return
			}
			n := min(s.piece, len(rest))
			if _, err := io.WriteString(pw, rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
		pw.Close()
	}()
	return resp, nil
}

// trickled are the bodies of one request each, as their lanes bring them.
var trickled = map[string]func(t *testing.T, r *Repository, s *sender, way http.RoundTripper, data string) error{
	"manifest": func(t *testing.T, r *Repository, s *sender, way http.RoundTripper, data string) error {
		s.own[metadata] = way
		_, _, err := r.FetchManifest(t.Context(), "v1")
		return err
	},
	"blob": func(t *testing.T, r *Repository, s *sender, way http.RoundTripper, data string) error {
		s.own[download] = way
		_, err := fetch(t.Context(), r, []byte(data), 0, int64(len(data)))
		return err
	},
	"token": func(t *testing.T, r *Repository, s *sender, way http.RoundTripper, data string) error {
		s.own[metadata] = roundTripper(func(req *http.Request) (*http.Response, error) {
			if req.URL.Path == "/token" {
				return way.RoundTrip(req)
			}
			w := httptest.NewRecorder()
			if req.Header.Get("Authorization") == "" {
				w.Header().Set("Www-Authenticate", `Bearer realm="https://registry.example/token",service="test"`)
				w.WriteHeader(http.StatusUnauthorized)
			} else {
				giveManifest(w, req, imageManifest)
			}
			return w.Result(), nil
		})
		_, err := r.Resolve(t.Context(), "v1")
		return err
	},
}

type roundTripper func(req *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// TestTrickleIsAStall: a body that brings a byte each half second never ends; one of
// 4 KiB in a minute is slow.
func TestTrickleIsAStall(t *testing.T) {
	for name, ask := range trickled {
		for piece, stalls := range map[int]bool{1: true, minProgress/120 - 1: true, minProgress/120 + 1: false} {
			t.Run(fmt.Sprintf("%s, %d bytes at once", name, piece), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					data := `{"token":"` + strings.Repeat("t", 5*minProgress) + `","schemaVersion":2,"config":{}}`
					o := newClock().options(t)
					o.Retry = RetryOptions{}
					r := open(t, newRegistries(o), "registry.example", "test/repo")
					way := &trickle{data: data, piece: piece}
					err := ask(t, r, r.host.http.Transport.(*retrier).next.(*sender), way, data)
					if !stalls {
						noError(t, err)
						return
					}
					if !errors.Is(err, ErrStalled) {
						t.Errorf("got %v", err)
					}
					equal(t, "places held", len(r.host.slots), 0)
				})
			})
		}
	}
}

// TestSlowConsumerIsNoStall reads a byte an hour of what has come.
func TestSlowConsumerIsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		resp := &http.Response{Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 500))), ContentLength: -1}
		body := watch(resp, time.Minute, cancel, func() {})
		for range 500 {
			time.Sleep(time.Hour)
			n, err := body.Read(make([]byte, 1))
			noError(t, err)
			equal(t, "bytes", n, 1)
		}
		body.Close()
		noError(t, ctx.Err())
	})
}

// stalling is a transport whose first answer stops in the middle and notices
// the end of its request only.
type stalling struct {
	data []byte
	n    int
}

func (s *stalling) RoundTrip(req *http.Request) (*http.Response, error) {
	s.n++
	pr, pw := io.Pipe()
	resp := &http.Response{StatusCode: 200, Body: pr, ContentLength: int64(len(s.data)), Header: http.Header{}}
	if s.n > 1 {
		resp.StatusCode = http.StatusPartialContent
		resp.Header.Set("Content-Range", "bytes 50-99/100")
	}
	context.AfterFunc(req.Context(), func() { pw.CloseWithError(req.Context().Err()) })
	go func() {
		if s.n > 1 {
			pw.Write(s.data[50:])
			pw.Close()
			return
		}
		pw.Write(s.data[:50])
	}()
	return resp, nil
}

func TestStalledDownloadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := randomBytes(100)
		o := newClock().options(t)
		o.Retry = RetryOptions{}
		r := open(t, newRegistries(o), "registry.example", "test/repo")
		transport := &stalling{data: data}
		r.host.http.Transport.(*retrier).next.(*sender).own[download] = transport
		got, err := fetch(t.Context(), r, data, 0, 100)
		noError(t, err)
		equal(t, "same bytes", bytes.Equal(got, data), true)
		equal(t, "requests", transport.n, 2)
	})
}
