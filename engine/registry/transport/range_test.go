package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/oras-mirror/oras-mirror/engine/registry/internal/registrytest"
)

func whole(int32) int { return -1 }

func fetch(ctx context.Context, r *Repository, data []byte, off, n int64) ([]byte, error) {
	body, err := r.FetchBlob(ctx, describeBytes(data), off, n)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

func TestBlobIsContinuedWhereItBroke(t *testing.T) {
	data := randomBytes(3 << 20)
	half := func(n int32) int {
		if n == 1 {
			return len(data) / 2
		}
		return -1
	}
	for name, noRange := range map[string]bool{"by range": false, "by skipping": true} {
		t.Run(name, func(t *testing.T) {
			s := &registrytest.BlobServer{Data: data, Cut: half, NoRange: noRange}
			r, c := repository(t, s.Serve)
			got, err := fetch(t.Context(), r, data, 0, int64(len(data)))
			noError(t, err)
			if !bytes.Equal(got, data) {
				t.Error("the bytes differ")
			}
			equal(t, "requests", s.Requests.Load(), 2)
			equal(t, "of them with a range", s.Ranges.Load(), 1)
			equal(t, "pauses", len(c.Sleeps()), 1)
		})
	}
}

func TestBlobThatKeepsBreaking(t *testing.T) {
	data := randomBytes(12 << 20)
	t.Run("with progress", func(t *testing.T) {
		s := &registrytest.BlobServer{Data: data, Cut: func(int32) int { return 3 << 19 }}
		r, _ := repository(t, s.Serve)
		got, err := fetch(t.Context(), r, data, 0, int64(len(data)))
		noError(t, err)
		equal(t, "same bytes", bytes.Equal(got, data), true)
		equal(t, "requests", s.Requests.Load(), 8)
	})
	t.Run("without", func(t *testing.T) {
		s := &registrytest.BlobServer{Data: data, Cut: func(int32) int { return 1 }}
		r, _ := repository(t, s.Serve)
		_, err := fetch(t.Context(), r, data, 0, int64(len(data)))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("got %v", err)
		}
		equal(t, "requests", s.Requests.Load(), MaxTries)
	})
}

func TestPartsOfABlob(t *testing.T) {
	data := randomBytes(100_000)
	s := &registrytest.BlobServer{Data: data, Cut: whole}
	r, _ := repository(t, s.Serve)
	for _, part := range [][2]int64{{0, 10}, {10, 1}, {99_999, 1}, {50_000, 50_000}, {0, 100_000}, {5, 0}} {
		got, err := fetch(t.Context(), r, data, part[0], part[1])
		noError(t, err)
		equal(t, "same bytes", bytes.Equal(got, data[part[0]:part[0]+part[1]]), true)
	}
	if _, err := fetch(t.Context(), r, data, 99_999, 2); err == nil {
		t.Error("bytes beyond the end were no error")
	}
}

func TestRegistryWithoutRange(t *testing.T) {
	data := randomBytes(100_000)
	s := &registrytest.BlobServer{Data: data, Cut: whole, NoRange: true}
	r, _ := repository(t, s.Serve)
	for _, part := range [][2]int64{{0, 10}, {50_000, 50_000}} {
		if _, err := fetch(t.Context(), r, data, part[0], part[1]); !errors.Is(err, ErrNoRange) {
			t.Errorf("got %v", err)
		}
	}
	equal(t, "places held", len(r.host.slots), 0)
}

func TestLyingSizes(t *testing.T) {
	data := randomBytes(1000)
	for name, h := range map[string]struct {
		serve http.HandlerFunc
		want  error
	}{
		"another length": {func(w http.ResponseWriter, req *http.Request) { w.Write(data[:999]) }, content.ErrInvalidDescriptorSize},
		"too much": {func(w http.ResponseWriter, req *http.Request) {
			http.NewResponseController(w).Flush() // chunked: no length is said
			w.Write(append(append([]byte{}, data...), 'x'))
		}, content.ErrTrailingData},
		"another part": {func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-999/2000")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data)
		}, content.ErrInvalidDescriptorSize},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := repository(t, h.serve)
			if _, err := fetch(t.Context(), r, data, 0, 1000); !errors.Is(err, h.want) {
				t.Errorf("got %v, want %v", err, h.want)
			}
		})
	}
}

// TestStrangeAnswersToARange: if a registry sends another part than the requested one,
// or none, the next request is for the whole blob.
func TestStrangeAnswersToARange(t *testing.T) {
	data := randomBytes(100_000)
	for name, strange := range map[string]http.HandlerFunc{
		"another part": func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-9/100000")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data[:10])
		},
		"no place of the part": func(w http.ResponseWriter, req *http.Request) {
			w.WriteHeader(http.StatusPartialContent)
			w.Write(data[50_000:])
		},
		"not satisfiable": func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Range", "bytes */100000")
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
				switch n.Add(1); {
				case req.Header.Get("Range") != "":
					strange(w, req)
				case n.Load() == 1:
					(&registrytest.BlobServer{Data: data, Cut: func(int32) int { return 50_000 }}).Serve(w, req)
				default:
					w.Write(data)
				}
			})
			got, err := fetch(t.Context(), r, data, 0, 100_000)
			noError(t, err)
			equal(t, "same bytes", bytes.Equal(got, data), true)
			equal(t, "requests", n.Load(), 3)
			if _, err := fetch(t.Context(), r, data, 60_000, 100); !errors.Is(err, ErrNoRange) {
				t.Errorf("of a part: %v", err)
			}
			equal(t, "places held", len(r.host.slots), 0)
		})
	}
}

func TestContentRange(t *testing.T) {
	for value, want := range map[string][2]int64{
		"bytes 0-9/100": {0, 100}, "bytes 5-9/*": {5, -1}, "": {-9, -9}, "bytes */100": {-9, -9}, "bytes 1-2": {-9, -9},
	} {
		first, size, err := contentRange(http.Header{"Content-Range": {value}})
		if err != nil {
			first, size = -9, -9
		}
		equal(t, strconv.Quote(value), [2]int64{first, size}, want)
	}
}

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
