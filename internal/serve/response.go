package serve

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// response is the answer to one request. It records what the access log has of it, and
// drops a client that takes nothing.
type response struct {
	http.ResponseWriter
	controller *http.ResponseController
	isHead     bool

	expected int // the status of a body; 0 means 200
	status   int // that was sent; 0 before
	sent     int64
	user     string
	fault    *fault
	omission string // a part of the answer that could not be read
	err      error  // the client's
}

func newResponse(w http.ResponseWriter, req *http.Request) *response {
	r := &response{ResponseWriter: w, controller: http.NewResponseController(w), isHead: req.Method == http.MethodHead}
	r.extend()
	return r
}

const (
	// patience is the time for which a client may take nothing.
	patience = time.Minute
	// headerPatience is the time in which a client must send the header of a request, and a
	// body, which is not read.
	headerPatience = 10 * time.Second
	// step is the number of bytes after which the time limit starts again. A client that takes
	// less than this in that time is as good as gone.
	step = 64 << 10
)

// extend gives the client patience from now on.
func (r *response) extend() {
	_ = r.controller.SetWriteDeadline(time.Now().Add(patience)) // a recorder of a test has none
}

// refuseBody ends the connection after the answer. net/http reads a body that the handler did
// not read, from a client that may never send it.
func (r *response) refuseBody() {
	r.Header().Set("Connection", "close")
	_ = r.controller.SetReadDeadline(time.Now().Add(headerPatience)) // a recorder of a test has none
}

func (r *response) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// beginBody sends the header, once.
func (r *response) beginBody() {
	if r.status == 0 {
		r.WriteHeader(max(r.expected, http.StatusOK))
	}
}

// body returns where the bytes of a body go.
func (r *response) body() io.Writer { return body{r} }

// gone reports whether the client stopped reading.
func (r *response) gone() bool { return r.err != nil }

// body writes to the client step by step.
type body struct{ *response }

func (b body) Write(p []byte) (written int, err error) {
	b.beginBody()
	for len(p) > 0 {
		b.extend()
		n, err := b.ResponseWriter.Write(p[:min(len(p), step)])
		written += n
		if b.moved(int64(n), err) != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}

// ReadFrom lets net/http copy a file to the socket in the kernel, step by step.
func (b body) ReadFrom(from io.Reader) (written int64, err error) {
	rest := int64(1 << 62)
	if limited, ok := from.(*io.LimitedReader); ok {
		from, rest = limited.R, limited.N
		defer func() { limited.N -= written }()
	}
	fast, ok := b.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{b}, io.LimitReader(from, rest))
	}
	b.beginBody()
	for rest > 0 {
		b.extend()
		n, err := fast.ReadFrom(io.LimitReader(from, min(rest, 4*step)))
		written, rest = written+n, rest-n
		if err != nil {
			if _, ok := errors.AsType[*net.OpError](err); ok {
				return written, b.moved(n, err)
			}
			return written, err
		}
		if b.moved(n, nil); n == 0 {
			break
		}
	}
	return written, nil
}

// moved counts bytes that the client took, and keeps its error.
func (r *response) moved(n int64, err error) error {
	r.sent += n
	if err != nil {
		r.err = err
	}
	return err
}

// send sends a whole body.
func (r *response) send(data []byte) {
	r.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if r.isHead {
		r.beginBody()
		return
	}
	_, _ = r.body().Write(data) // a client that is gone needs no answer
	r.beginBody()
}

// refuse sends an error in the JSON of the distribution spec.
func (r *response) refuse(f *fault) {
	r.fault = f
	h := r.Header()
	for _, key := range []string{"ETag", "Accept-Ranges", "Docker-Content-Digest"} {
		h.Del(key)
	}
	if f.status != http.StatusRequestedRangeNotSatisfiable {
		h.Del("Content-Range")
	}
	type entry struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	document, err := json.Marshal(map[string][]entry{"errors": {{f.code, f.message}}})
	if err != nil {
		return // of strings: cannot fail
	}
	h.Set("Content-Type", "application/json")
	r.expected = f.status
	r.send(append(document, '\n'))
}

// fail ends the connection, so that the client sees that a part of the body is missing.
func (r *response) fail(err error) {
	r.fault = &fault{status: r.status, code: "BLOB_UNKNOWN", message: "aborted", detail: err.Error()}
	panic(http.ErrAbortHandler)
}
