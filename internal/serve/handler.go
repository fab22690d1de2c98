// Package serve is a read-only registry over OCI layouts: GET and HEAD of the OCI
// distribution spec 1.1. It knows no flags and no terminal. A request is parsed, and answered
// from one snapshot of the inputs, which internal/serve/content keeps.
//
// What always holds:
//
//   - A manifest is hashed before it is sent.
//   - A member of a bundle is checked before a byte of it is sent, and the last MiB of a
//     blob is sent only once all of it was hashed, so that a damaged blob never arrives whole.
//   - A request that is under way ends on the inputs it began with, whatever replaces them.
//     Of an object that is replaced no byte is sent behind bytes of the former one.
//   - An input that cannot be reached has no effect on what clients believe: they are told to
//     come again, and nothing that was found out in that time is kept.
//   - Names and digests of a request are looked up in the table, or checked by their grammar;
//     before that none becomes a part of a file's path.
package serve

import (
	"net/http"
	"net/url"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/serve/content"
)

// Handler answers the requests of clients.
type Handler struct {
	Inputs *content.Inputs
	Login  *Passwords          // who may read; nil: all
	Log    func(access Access) // called after each request, concurrently; it may be nil
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	began := time.Now()
	out := newResponse(w, req)
	defer func() {
		if h.Log != nil {
			h.Log(out.access(req, began))
		}
	}()
	h.serve(out, req)
}

func (h *Handler) serve(w *response, req *http.Request) {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if req.ContentLength != 0 {
		w.refuseBody()
	}
	if h.Login != nil && !w.login(h.Login, req) {
		return
	}
	if f := h.answer(w, req); f != nil {
		w.refuse(f)
	}
}

// answer answers a request from the current snapshot, or returns why not. Where an input was
// replaced it tries the next one.
func (h *Handler) answer(w *response, req *http.Request) *fault {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		return refusal(http.StatusMethodNotAllowed, "UNSUPPORTED", "this registry is read-only")
	}
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil { // else a part of it, such as ns, would be passed over
		return refusal(http.StatusBadRequest, "UNSUPPORTED", "invalid query %.200q", req.URL.RawQuery)
	}
	c, ok := parseCall(req.URL.Path, query)
	if !ok {
		return refusal(http.StatusNotFound, "NAME_UNKNOWN", "no such path")
	}
	current := h.Inputs.Acquire()
	defer current.Release() // also after a response that is aborted
	f := (&session{response: w, snapshot: current, call: c, request: req}).answer()
	if f != nil && f.stale && h.Inputs.Renew(req.Context(), current) {
		next := h.Inputs.Acquire()
		defer next.Release()
		f = (&session{response: w, snapshot: next, call: c, request: req}).answer()
	}
	return f
}

// answer answers the request, or returns why not.
func (s *session) answer() *fault {
	switch s.kind {
	case "base":
		return s.json("application/json", struct{}{})
	case "catalog":
		return s.catalog()
	}
	s.repository = s.snapshot.Repository(s.path, s.registry)
	if f := s.checkName(); f != nil {
		return f
	}
	switch s.kind {
	case "tags":
		return s.tags()
	case "referrers":
		return s.referrers()
	case "blobs":
		return s.blob()
	}
	return s.manifest()
}

// checkName returns why the name of the request is refused. Referrers of a repository that is
// unknown are an empty list: the spec allows no 404, which tells clients to ask for a tag
// instead. Under ?ns= it tells them to ask the next mirror.
func (s *session) checkName() *fault {
	if s.repository.IsKnown() {
		return nil
	}
	if err := config.CheckRepository(s.path); err != nil {
		return refusal(http.StatusBadRequest, "NAME_INVALID", "%s", err)
	}
	if s.kind == "referrers" && s.registry == "" {
		return nil
	}
	return unknownName(s.path)
}
