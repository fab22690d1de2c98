package registry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

func TestChunksWhereABlobIsTooLarge(t *testing.T) {
	data, opened := randomBytes(10<<20), 0
	refuse := func(w http.ResponseWriter, req *http.Request, n int) bool {
		if req.Method == http.MethodPut && req.ContentLength > 0 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return true
		}
		return false
	}
	t.Run("all arrives", func(t *testing.T) {
		u := &uploads{t: t, fault: refuse}
		r, _ := repository(t, u.serve)
		noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
		equal(t, "requests", u.requests(), "POST PUT POST PATCH PATCH PATCH PUT")
		equal(t, "same bytes", bytes.Equal(u.stored, data), true)
	})
	t.Run("less arrives than was sent", func(t *testing.T) {
		u := &uploads{t: t}
		u.fault = func(w http.ResponseWriter, req *http.Request, n int) bool {
			if req.Method == http.MethodPatch {
				equal(t, "range", req.Header.Get("Content-Range"), fmt.Sprintf("%d-%d", len(u.partial), len(u.partial)+int(req.ContentLength)-1))
				req.Body = io.NopCloser(io.LimitReader(req.Body, 3<<20))
				return false
			}
			return refuse(w, req, n)
		}
		r, _ := repository(t, u.serve)
		noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
		equal(t, "same bytes", bytes.Equal(u.stored, data), true)
	})
	t.Run("a connection breaks", func(t *testing.T) {
		u := &uploads{t: t}
		u.fault = func(w http.ResponseWriter, req *http.Request, n int) bool {
			if n == 3 { // in the second piece
				conn, _, _ := http.NewResponseController(w).Hijack()
				conn.Close()
				return true
			}
			return refuse(w, req, n)
		}
		r, _ := repository(t, u.serve)
		noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
		equal(t, "requests", u.requests(), "POST PUT POST PATCH PATCH POST PATCH PATCH PATCH PUT")
		equal(t, "same bytes", bytes.Equal(u.stored, data), true)
	})
	t.Run("nothing arrives", func(t *testing.T) {
		u := &uploads{t: t}
		u.fault = func(w http.ResponseWriter, req *http.Request, n int) bool {
			if req.Method == http.MethodPatch {
				w.Header().Set("Range", "0-0")
				w.WriteHeader(http.StatusAccepted)
				return true
			}
			return refuse(w, req, n)
		}
		r, _ := repository(t, u.serve)
		if err := r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)); err == nil {
			t.Error("no error")
		}
		equal(t, "nothing is stored", u.stored == nil, true)
	})
}

// TestChunksAreHalvedUntilTheyAreTaken: what stands before a registry may take no
// more than 1 MiB, or less, whole or in pieces. What it takes is learnt once.
func TestChunksAreHalvedUntilTheyAreTaken(t *testing.T) {
	for _, limit := range []int64{1 << 20, 1<<20 - 1, 300_000, minChunkSize} {
		data, opened := randomBytes(5<<20+12_345), 0
		refused := 0
		u := &uploads{t: t, fault: func(w http.ResponseWriter, req *http.Request, n int) bool {
			if req.ContentLength > limit {
				refused++
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
			return req.ContentLength > limit
		}}
		r, _ := repository(t, u.serve)
		noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
		equal(t, "same bytes", bytes.Equal(u.stored, data), true)
		equal(t, "sessions", u.sessions, 2)
		equal(t, "times opened", opened, 2)
		before := refused
		noError(t, r.PushBlob(t.Context(), describeBytes(data[1:]), opener(data[1:], &opened)))
		equal(t, "same bytes", bytes.Equal(u.stored, data[1:]), true)
		equal(t, "refusals of the next blob", refused-before, 1) // of all of it
	}
}

// TestChunksThatAreNeverTaken: pieces get no smaller than the registry wants them, or
// than any proxy takes.
func TestChunksThatAreNeverTaken(t *testing.T) {
	for least, requests := range map[int64]string{0: "PATCH PATCH PATCH PATCH PATCH PATCH PATCH", 1 << 20: "PATCH PATCH PATCH", 8 << 20: "PATCH"} {
		data, opened := randomBytes(10<<20), 0
		u := &uploads{t: t, fault: func(w http.ResponseWriter, req *http.Request, n int) bool {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return true
		}}
		r, _ := repository(t, withLeastChunk(u, least))
		err := r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened))
		equal(t, "status", transport.Status(err), http.StatusRequestEntityTooLarge)
		equal(t, "requests", u.requests(), "POST PUT POST "+requests)
	}
}

// withLeastChunk returns u with a minimum size of chunks.
func withLeastChunk(u *uploads, least int64) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodPost && least > 0 {
			w.Header().Set("OCI-Chunk-Min-Length", fmt.Sprint(least))
		}
		u.serve(w, req)
	}
}

// TestChunksThatHaveToBeLargeAreNotHeld: a registry may want pieces of any size, and
// gets them, but no memory for them.
func TestChunksThatHaveToBeLargeAreNotHeld(t *testing.T) {
	const size = 32 << 20
	zeros := make([]byte, 1<<20)
	desc := describeBytes(nil)
	desc.Size = size
	open := func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(zeroReader{}, size)), nil }
	for least, patches := range map[string]int{"": size / chunkSize, "1": size / chunkSize, "-1": size / chunkSize, "5000000": 7,
		"10000000": 4, "100000000": 1, "9223372036854775807": 1, "99999999999999999999": 1, "many": size / chunkSize} {
		var received int64
		sent := 0
		r, _ := repository(t, func(w http.ResponseWriter, req *http.Request) {
			switch {
			case req.Method == http.MethodPost:
				w.Header().Set("OCI-Chunk-Min-Length", least)
				w.Header().Set("Location", "session")
				w.WriteHeader(http.StatusAccepted)
			case req.Method == http.MethodPut && req.ContentLength > 0:
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			case req.Method == http.MethodPatch:
				sent++
				for {
					n, err := req.Body.Read(zeros)
					if received += int64(n); err != nil {
						break
					}
				}
				w.WriteHeader(http.StatusAccepted)
			default:
				w.WriteHeader(http.StatusCreated)
			}
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		noError(t, r.PushBlob(t.Context(), desc, open))
		runtime.ReadMemStats(&after)
		equal(t, least+": received", received, int64(size))
		equal(t, least+": pieces", sent, patches)
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 12 {
			t.Errorf("%s: %d MiB were taken", least, took)
		}
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestLargeChunkWhoseSourceEnds: it is no fault of the registry, and not sent again.
func TestLargeChunkWhoseSourceEnds(t *testing.T) {
	data, opened := randomBytes(9<<20), 0
	u := &uploads{t: t, fault: func(w http.ResponseWriter, req *http.Request, n int) bool {
		if req.Method == http.MethodPut {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return true
		}
		return false
	}}
	r, _ := repository(t, withLeastChunk(u, 8<<20))
	err := r.PushBlob(t.Context(), describeBytes(data), opener(data[:5<<20], &opened))
	if !errors.Is(err, io.ErrUnexpectedEOF) || !isType[transport.SourceError](err) {
		t.Errorf("got %v", err)
	}
}
