package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
	"github.com/oras-mirror/oras-mirror/store"
)

// Handler answers the requests of clients.
type Handler struct {
	Registry *Registry
	Login    *Passwords          // who may read; nil: all
	Log      func(access Access) // called after each request, concurrently; it may be nil
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
	if f := h.Registry.answer(w, req); f != nil {
		w.refuse(f)
	}
}

// fault is an answer that is an error of the distribution spec.
type fault struct {
	status  int
	code    string
	message string
	detail  string // more for the log; may be empty
	stale   bool   // an input was replaced: a new content may have the answer
}

func refusal(status int, code, format string, a ...any) *fault {
	return &fault{status: status, code: code, message: fmt.Sprintf(format, a...)}
}

// The answers that have no more to say.
func unknownName(path string) *fault {
	return refusal(http.StatusNotFound, "NAME_UNKNOWN", "no repository %s", path)
}

func unknownManifest(reference string) *fault {
	return refusal(http.StatusNotFound, "MANIFEST_UNKNOWN", "no manifest %s", reference)
}

func unknownBlob(d digest.Digest) *fault {
	return refusal(http.StatusNotFound, "BLOB_UNKNOWN", "no blob %s", d)
}

// unavailable returns why something cannot be read now. The reason is for the log: it names
// what the client need not know.
func unavailable(what string, err error) *fault {
	f := refusal(http.StatusServiceUnavailable, "UNAVAILABLE", "%s cannot be read at the moment", what)
	if errors.Is(err, store.ErrRefused) {
		f.status = http.StatusBadGateway
	}
	f.detail, f.stale = err.Error(), errors.Is(err, store.ErrReplaced)
	return f
}

// call is a request of the distribution spec.
type call struct {
	kind      string // "base", "catalog", "tags", "manifests", "blobs" or "referrers"
	path      string // the name of the repository
	reference string // a tag or a digest
	registry  string // of ?ns=, in lower case; "" for any
	query     url.Values
}

// parseCall parses a path below /v2/. The name is everything before the last two parts.
func parseCall(path string, query url.Values) (c call, ok bool) {
	c.query = query
	c.registry = strings.ToLower(dockerhub.Registry(c.query.Get("ns")))
	rest, below := strings.CutPrefix(path, "/v2/")
	switch {
	case path == "/v2", below && rest == "":
		c.kind = "base"
		return c, true
	case !below:
		return c, false
	case rest == "_catalog":
		c.kind = "catalog"
		return c, true
	}
	last := strings.LastIndexByte(rest, '/')
	if last < 0 {
		return c, false
	}
	rest, c.reference = rest[:last], rest[last+1:]
	last = strings.LastIndexByte(rest, '/')
	if last < 0 {
		return c, false
	}
	c.path, c.kind = rest[:last], rest[last+1:]
	switch c.kind {
	case "tags":
		return c, c.reference == "list"
	case "manifests", "blobs", "referrers":
		return c, true
	}
	return c, false
}

// answer answers one request, or returns why not.
func (r *Registry) answer(w *response, req *http.Request) *fault {
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
	content := r.acquire()
	f := content.answer(w, req, c)
	if f != nil && f.stale && r.renew(req.Context(), content) {
		next := r.acquire()
		defer next.release()
		f = next.answer(w, req, c)
	}
	content.release()
	return f
}

// answer answers one request from this content, or returns why not.
func (c *content) answer(w *response, req *http.Request, call call) *fault {
	s := &session{response: w, content: c, call: call, request: req}
	switch call.kind {
	case "base":
		return s.json("application/json", struct{}{})
	case "catalog":
		return s.catalog()
	}
	s.views = c.table.find(call.path, call.registry)
	if f := s.checkName(); f != nil {
		return f
	}
	switch call.kind {
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
	if len(s.views) > 0 {
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

// session is one request that is answered from one content.
type session struct {
	*response
	content *content
	call
	request *http.Request
	views   []view // of the repository
}

// digest parses a digest of the request.
func (s *session) digest() (digest.Digest, *fault) {
	d := digest.Digest(s.reference)
	if compact.Of(d) == "" {
		return "", refusal(http.StatusBadRequest, "DIGEST_INVALID", "invalid digest %.200q", s.reference)
	}
	return d, nil
}

// json sends a document.
func (s *session) json(mediaType string, document any) *fault {
	data, err := json.Marshal(document)
	if err != nil {
		return &fault{status: http.StatusInternalServerError, code: "UNKNOWN", message: "internal error", detail: err.Error()}
	}
	s.Header().Set("Content-Type", mediaType)
	s.send(append(data, '\n'))
	return nil
}
