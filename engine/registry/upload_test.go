package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/engine/registry/internal/registrytest"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// uploads is the upload API of a registry. fault runs before each PUT and PATCH and
// reports whether it has responded.
type uploads struct {
	t     *testing.T
	fault func(w http.ResponseWriter, req *http.Request, n int) bool

	mu       sync.Mutex
	sessions int
	mounts   int
	sent     int // PUTs and PATCHes
	stored   []byte
	partial  []byte
	log      []string
}

func (u *uploads) serve(w http.ResponseWriter, req *http.Request) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.log = append(u.log, req.Method)
	if req.Method == http.MethodPost {
		u.sessions++
		u.partial = nil
		if req.URL.Query().Has("mount") {
			u.mounts++
		}
		// A relative place that has a state of its own in the query.
		w.Header().Set("Location", fmt.Sprintf("%d?_state=abc", u.sessions))
		w.WriteHeader(http.StatusAccepted)
		return
	}
	equal(u.t, "path", req.URL.Path, fmt.Sprintf("/v2/test/repo/blobs/uploads/%d", u.sessions))
	equal(u.t, "state", req.URL.Query().Get("_state"), "abc")
	u.sent++
	if u.fault != nil && u.fault(w, req, u.sent) {
		return
	}
	data, _ := io.ReadAll(req.Body)
	if req.Method == http.MethodPatch {
		u.partial = append(u.partial, data...)
		w.Header().Set("Range", fmt.Sprintf("0-%d", len(u.partial)-1))
		w.Header().Set("Location", req.URL.String())
		w.WriteHeader(http.StatusAccepted)
		return
	}
	data = append(u.partial, data...)
	if d := describeBytes(data).Digest.String(); req.URL.Query().Get("digest") != d {
		giveError(w, http.StatusBadRequest, errcode.ErrorCodeDigestInvalid, "provided digest did not match uploaded content")
		return
	}
	u.stored = data
	w.WriteHeader(http.StatusCreated)
}

func (u *uploads) requests() string { return strings.Join(u.log, " ") }

func TestPushBlobIsPostAndPut(t *testing.T) {
	for name, size := range map[string]int{"some": 300_000, "empty": 0} {
		t.Run(name, func(t *testing.T) {
			u := &uploads{t: t}
			r, _ := repository(t, u.serve)
			data, opened := randomBytes(size), 0
			noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
			equal(t, "same bytes", bytes.Equal(u.stored, data), true)
			equal(t, "requests", u.requests(), "POST PUT")
			equal(t, "times opened", opened, 1)
		})
	}
}

func TestPushBlobAgain(t *testing.T) {
	for name, fault := range map[string]func(w http.ResponseWriter, req *http.Request){
		"token expired":   func(w http.ResponseWriter, req *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"session is lost": func(w http.ResponseWriter, req *http.Request) { giveError(w, 404, "BLOB_UPLOAD_UNKNOWN", "") },
		"unavailable":     func(w http.ResponseWriter, req *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"broken in the middle": func(w http.ResponseWriter, req *http.Request) {
			io.CopyN(io.Discard, req.Body, 1000)
			conn, _, _ := http.NewResponseController(w).Hijack()
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, opened := randomBytes(1<<20), 0
			u := &uploads{t: t, fault: func(w http.ResponseWriter, req *http.Request, n int) bool {
				if n < 3 {
					fault(w, req)
				}
				return n < 3
			}}
			r, _ := repository(t, u.serve)
			noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
			equal(t, "requests", u.requests(), "POST PUT POST PUT POST PUT")
			equal(t, "times opened", opened, 3)
			equal(t, "same bytes", bytes.Equal(u.stored, data), true)
		})
	}
}

func TestPushBlobAtMostThreeTimes(t *testing.T) {
	u := &uploads{t: t, fault: func(w http.ResponseWriter, req *http.Request, n int) bool {
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}}
	r, _ := repository(t, u.serve)
	data, opened := randomBytes(10), 0
	err := r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened))
	equal(t, "status", transport.Status(err), 401)
	equal(t, "requests", u.requests(), "POST PUT POST PUT POST PUT")
}

// TestUploadsThatBreakTogether: a registry that restarts breaks all that is under
// way. That is one event, not a registry that is down.
func TestUploadsThatBreakTogether(t *testing.T) {
	const blobs = 2 * downAfter
	var puts atomic.Int32
	var broken sync.WaitGroup // no upload starts over before all have failed
	broken.Add(blobs)
	o := newClock().options(t)
	o.Transport.Retry.Sleep = func(context.Context, time.Duration) error {
		broken.Done()
		broken.Wait()
		return nil
	}
	r := open(t, New(o), serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost {
			w.Header().Set("Location", fmt.Sprint(puts.Add(1)))
			w.WriteHeader(http.StatusAccepted)
			return
		}
		if n, _ := strconv.Atoi(path.Base(req.URL.Path)); n <= blobs {
			breakOff()
		}
		io.Copy(io.Discard, req.Body)
		w.WriteHeader(http.StatusCreated)
	}), "test/repo")
	var pushes sync.WaitGroup
	for i := range blobs {
		pushes.Go(func() {
			opened := 0
			data := []byte(fmt.Sprint(i))
			if err := r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)); err != nil {
				t.Error(err)
			}
		})
	}
	pushes.Wait()
}

// TestPushBlobToABusyRegistry: a registry that responds gets six tries.
func TestPushBlobToABusyRegistry(t *testing.T) {
	for busy, want := range map[int]int{5: 0, 6: 503} {
		u := &uploads{t: t, fault: func(w http.ResponseWriter, req *http.Request, n int) bool {
			if n <= busy {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return n <= busy
		}}
		r, _ := repository(t, u.serve)
		data, opened := randomBytes(10), 0
		err := r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened))
		equal(t, "status", transport.Status(err), want)
		equal(t, "times sent", u.sent, 6)
	}
}

func TestPushBlobThatCannotBeOpenedAgain(t *testing.T) {
	u := &uploads{t: t, fault: func(w http.ResponseWriter, req *http.Request, n int) bool {
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}}
	r, _ := repository(t, u.serve)
	data, opened, gone := randomBytes(10), 0, errors.New("it went straight through")
	open := opener(data, &opened)
	err := r.PushBlob(t.Context(), describeBytes(data), func() (io.ReadCloser, error) {
		if opened > 0 {
			return nil, gone
		}
		return open()
	})
	if !errors.Is(err, gone) || transport.Status(err) != 401 {
		t.Errorf("got %v", err)
	}
	equal(t, "PUTs", u.sent, 1)
}

func TestPushBlobOfWrongBytesIsFinal(t *testing.T) {
	u := &uploads{t: t}
	r, _ := repository(t, u.serve)
	data, opened := randomBytes(10), 0
	err := r.PushBlob(t.Context(), describeBytes([]byte("0123456789")), opener(data, &opened))
	equal(t, "has the code", transport.HasCode(err, errcode.ErrorCodeDigestInvalid), true)
	equal(t, "requests", u.requests(), "POST PUT")
}

func TestPushBlobThatCannotBeReadIsFinal(t *testing.T) {
	u := &uploads{t: t}
	r, _ := repository(t, u.serve)
	broken, opened := errors.New("checksum of member 3"), 0
	err := r.PushBlob(t.Context(), describeBytes(randomBytes(100)), func() (io.ReadCloser, error) {
		opened++
		return io.NopCloser(io.MultiReader(bytes.NewReader(randomBytes(50)), brokenReader{broken})), nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	equal(t, "times opened", opened, 1)
	equal(t, "failures held against the registry", failures(t, r), 0)
}

// TestInputThatCannotBeReadIsNoFaultOfTheRegistry: blobs that are missing here, or
// damaged in the midst of a chunk, do not make the registry look down.
func TestInputThatCannotBeReadIsNoFaultOfTheRegistry(t *testing.T) {
	broken := errors.New("is not in the input")
	refuse := func(w http.ResponseWriter, req *http.Request) {
		switch req.Method {
		case http.MethodPost:
			w.Header().Set("Location", "session")
			w.WriteHeader(http.StatusAccepted)
		case http.MethodPut:
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	}
	for name, open := range map[string]func() (io.ReadCloser, error){
		"missing": func() (io.ReadCloser, error) { return nil, broken },
		"damaged": func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(randomBytes(50)), brokenReader{broken})), nil
		},
	} {
		r, _ := repository(t, refuse)
		for i := range 2 * downAfter {
			if err := r.PushBlob(t.Context(), describeBytes(randomBytes(100+i)), open); !errors.Is(err, broken) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		equal(t, "ready", r.host.IsReady(t.Context()), true)
		equal(t, "failures held against the registry", failures(t, r), 0)
	}
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

// TestRelayNeedsOnePlace sends what comes from a registry on to one, with one
// place for both, whole and in chunks.
func TestRelayNeedsOnePlace(t *testing.T) {
	data := randomBytes(5 << 20)
	for name, limit := range map[string]int64{"whole": 6 << 20, "in chunks": 4 << 20} {
		t.Run(name, func(t *testing.T) {
			source := &registrytest.BlobServer{Data: data, Cut: func(n int32) int {
				if n == 1 {
					return len(data) / 2
				}
				return -1
			}}
			target := &uploads{t: t, fault: func(w http.ResponseWriter, req *http.Request, n int) bool {
				if req.ContentLength > limit {
					w.WriteHeader(http.StatusRequestEntityTooLarge)
				}
				return req.ContentLength > limit
			}}
			o := newClock().options(t)
			o.Transport.Concurrency = 1
			client := New(o)
			from := open(t, client, serve(t, source.Serve), "first/repo")
			to := open(t, client, serve(t, target.serve), "test/repo")
			noError(t, to.PushBlob(t.Context(), describeBytes(data), func() (io.ReadCloser, error) {
				return from.FetchBlob(t.Context(), describeBytes(data), 0, int64(len(data)))
			}))
			equal(t, "same bytes", bytes.Equal(target.stored, data), true)
			equal(t, "places held", held(t, client), 0)
		})
	}
}
