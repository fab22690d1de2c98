package transport

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestHTTP2IsForMetadataOnly(t *testing.T) {
	data := randomBytes(1000)
	var mu sync.Mutex
	protocols := make(map[string]string)
	u := &storing{}
	host, ca := serveTLS(t, func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		protocols[req.Method+" "+kind(req)] = req.Proto
		mu.Unlock()
		switch {
		case strings.Contains(req.URL.Path, "/uploads/"):
			u.serve(w, req)
		case strings.Contains(req.URL.Path, "/blobs/"):
			http.Redirect(w, req, "/store/blob", http.StatusTemporaryRedirect)
		case req.URL.Path == "/store/blob":
			w.Write(data)
		default:
			giveManifest(w, req, imageManifest)
		}
	}, nil)
	r := overTLS(t, host, Settings{CAFile: ca})
	_, err := r.Resolve(t.Context(), "v1")
	noError(t, err)
	got, err := fetch(t.Context(), r, data, 0, 1000)
	noError(t, err)
	equal(t, "same bytes", bytes.Equal(got, data), true)
	opened := 0
	noError(t, r.PushBlob(t.Context(), describeBytes(data), opener(data, &opened)))
	for request, want := range map[string]string{
		"HEAD manifest": "HTTP/2.0", "POST upload": "HTTP/2.0",
		"GET blob": "HTTP/1.1", "GET token": "HTTP/1.1", "PUT upload": "HTTP/1.1", // "GET token" is the store here
	} {
		equal(t, request, protocols[request], want)
	}
}

// TestStreamsThatAreReset: over HTTP/2 a handler that gives up resets its stream with
// INTERNAL_ERROR, before its headers or in its body, and a server that goes down says
// GOAWAY.
func TestStreamsThatAreReset(t *testing.T) {
	var n atomic.Int32
	host, ca := serveTLS(t, func(w http.ResponseWriter, req *http.Request) {
		switch n.Add(1) {
		case 1:
			w.WriteHeader(http.StatusNotFound) // it is alive
		case 2:
			breakOff()
		case 3:
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte(`{"schema`))
			http.NewResponseController(w).Flush()
			breakOff()
		case 4:
			w.Header().Set("Connection", "close") // which is GOAWAY there
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			equal(t, "protocol", req.Proto, "HTTP/2.0")
			giveManifest(w, req, imageManifest)
		}
	}, func(s *httptest.Server) { s.Config.ErrorLog = discardLog() })
	r := overTLS(t, host, Settings{CAFile: ca})
	r.FetchManifest(t.Context(), "none")
	_, data, err := r.FetchManifest(t.Context(), "v1")
	noError(t, err)
	equal(t, "manifest", string(data), string(imageManifest))
	equal(t, "requests", n.Load(), int32(5))
}
