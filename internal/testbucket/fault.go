package testbucket

import (
	"fmt"
	"html"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7/pkg/signer"
)

// Fault answers a request in place of the server, or in front of it.
type Fault struct {
	serve func(w http.ResponseWriter, req *http.Request, next http.Handler)
}

// Inject sets the function that chooses the faults; nil means none. Its calls are never
// concurrent.
func (s *Server) Inject(choose func(Call) *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = choose
}

// After is the fault, or none if f is nil, after a call of do.
func (f *Fault) After(do func()) *Fault {
	return &Fault{func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		do()
		if f == nil {
			next.ServeHTTP(w, req)
			return
		}
		f.serve(w, req, next)
	}}
}

// Status answers with an error of S3.
func Status(status int, code string) *Fault {
	return &Fault{func(w http.ResponseWriter, req *http.Request, _ http.Handler) {
		io.Copy(io.Discard, req.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>injected</Message></Error>", code)
	}}
}

// SlowDown is the error of a store that gets too many requests.
func SlowDown() *Fault { return Status(http.StatusServiceUnavailable, "SlowDown") }

// Reset closes the connection without a response, before the server gets the request.
func Reset() *Fault {
	return &Fault{func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }}
}

// Lost lets the server answer and closes the connection in place of the response.
func Lost() *Fault {
	return &Fault{func(_ http.ResponseWriter, req *http.Request, next http.Handler) {
		next.ServeHTTP(&discard{header: make(http.Header)}, req)
		panic(http.ErrAbortHandler)
	}}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// Cut sends the first n bytes of a body and closes the connection.
func Cut(n int) *Fault {
	return &Fault{func(w http.ResponseWriter, req *http.Request, next http.Handler) {
		next.ServeHTTP(&cut{ResponseWriter: w, left: n}, req)
	}}
}

type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	c.ResponseWriter.Write(p[:c.left])
	http.NewResponseController(c.ResponseWriter).Flush()
	panic(http.ErrAbortHandler)
}

func (c *cut) Flush() { http.NewResponseController(c.ResponseWriter).Flush() }

// Unconditional hides a condition from the server, which then writes always. The headers are
// signed, so the request is signed again.
func Unconditional(header string) func(Call) *Fault {
	return func(c Call) *Fault {
		if c.Method != http.MethodPut || c.Header.Get(header) == "" {
			return nil
		}
		return &Fault{func(w http.ResponseWriter, req *http.Request, next http.Handler) {
			req.Header.Del(header)
			next.ServeHTTP(w, signer.SignV4(*req, AccessKey, SecretKey, "", region))
		}}
	}
}

// Echo answers with an error that quotes what the client sent, as some stores do to explain a
// wrong signature. With a location it redirects there.
func Echo(status int, code, location string) *Fault {
	return &Fault{func(w http.ResponseWriter, req *http.Request, _ http.Handler) {
		io.Copy(io.Discard, req.Body)
		w.Header().Set("Content-Type", "application/xml")
		if location != "" {
			w.Header().Set("Location", location)
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>refused: Authorization: %s, x-amz-security-token:%s, for %s</Message></Error>", code,
			html.EscapeString(req.Header.Get("Authorization")), html.EscapeString(req.Header.Get("X-Amz-Security-Token")), html.EscapeString(location))
	}}
}
