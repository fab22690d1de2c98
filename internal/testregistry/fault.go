package testregistry

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
)

// Fault wraps the handler of one request, like middleware. nil means no fault.
type Fault func(answer http.Handler) http.Handler

// faults chooses the requests that get a fault.
type faults struct {
	mu     sync.Mutex
	choose func(req *http.Request, n int) Fault // guarded by mu
}

func (f *faults) next(req *http.Request, n int) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.choose == nil {
		return nil
	}
	return f.choose(req, n)
}

// First applies a fault to the first n requests of a kind, for each URL separately:
// r.Fault(First(2, "GET blob", Status(503, ""))).
func First(n int, kind string, fault Fault) func(*http.Request, int) Fault {
	return func(req *http.Request, i int) Fault {
		if i > n || Kind(req) != kind {
			return nil
		}
		return fault
	}
}

// Always applies a fault to every request of a kind.
func Always(kind string, fault Fault) func(*http.Request, int) Fault {
	return First(int(^uint(0)>>1), kind, fault)
}

// Status responds with a status, and with a Retry-After header if it is not empty.
func Status(code int, retryAfter string) Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			refuse(w, code, "UNKNOWN", http.StatusText(code))
		})
	}
}

// Reset breaks the connection before the response headers, over HTTP/1.1 with an RST.
func Reset() Fault { return ResetAfter(0) }

// ResetAfter reads n bytes of the request's body, then does the same as Reset.
func ResetAfter(n int64) Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			io.CopyN(io.Discard, req.Body, n)
			hangUp(w)
		})
	}
}

// Cut announces the whole body, sends its first n bytes and breaks the connection.
func Cut(n int64) Fault {
	return onBody(func(w *body, p []byte) (int, error) {
		if w.written+int64(len(p)) < n {
			return w.ResponseWriter.Write(p)
		}
		w.ResponseWriter.Write(p[:n-w.written])
		http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	})
}

// Flip flips the lowest bit of byte n of the body.
func Flip(n int64) Fault {
	return onBody(func(w *body, p []byte) (int, error) {
		if at := n - w.written; at >= 0 && at < int64(len(p)) {
			p = append([]byte(nil), p...)
			p[at] ^= 1
		}
		return w.ResponseWriter.Write(p)
	})
}

// Stall sends nothing until released is closed, then responds.
func Stall(released <-chan struct{}) Fault {
	return func(answer http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			hold(released, req)
			answer.ServeHTTP(w, req)
		})
	}
}

// StallAt sends the first n bytes of the body, then nothing until released is closed, then
// the rest.
func StallAt(n int64, released <-chan struct{}) Fault {
	return onBody(func(w *body, p []byte) (int, error) {
		before := n - w.written
		if before < 0 || before > int64(len(p)) {
			return w.ResponseWriter.Write(p)
		}
		first, err := w.ResponseWriter.Write(p[:before])
		if err != nil {
			return first, err
		}
		http.NewResponseController(w.ResponseWriter).Flush()
		hold(released, w.request)
		rest, err := w.ResponseWriter.Write(p[before:])
		return first + rest, err
	})
}

// hold waits until released is closed, or the client or the registry has gone.
func hold(released <-chan struct{}, req *http.Request) {
	select {
	case <-released:
	case <-req.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// WrongLength announces a body of n bytes: a longer one is cut there, a shorter one ends in a
// broken connection.
func WrongLength(n int64) Fault {
	return func(answer http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			answer.ServeHTTP(&body{ResponseWriter: w, request: req, length: &n, write: writeUpTo(n)}, req)
		})
	}
}

func writeUpTo(n int64) func(w *body, p []byte) (int, error) {
	return func(w *body, p []byte) (int, error) {
		left := min(max(n-w.written, 0), int64(len(p)))
		if _, err := w.ResponseWriter.Write(p[:left]); err != nil {
			return 0, err
		}
		return len(p), nil
	}
}

// hangUp breaks a connection; with HTTP/2 only the stream.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if t, ok := conn.(*throttledConn); ok {
		conn = t.Conn
	}
	if t, ok := conn.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	conn.Close()
}

// body is a response writer that changes the body.
type body struct {
	http.ResponseWriter
	request *http.Request
	write   func(w *body, p []byte) (int, error)
	started bool
	written int64
	length  *int64 // announced instead of the real one
}

func onBody(write func(w *body, p []byte) (int, error)) Fault {
	return func(answer http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			answer.ServeHTTP(&body{ResponseWriter: w, request: req, write: write}, req)
		})
	}
}

func (b *body) WriteHeader(status int) {
	b.started = true
	if b.length != nil {
		b.Header().Set("Content-Length", strconv.FormatInt(*b.length, 10))
	}
	b.ResponseWriter.WriteHeader(status)
}

func (b *body) Write(p []byte) (int, error) {
	if !b.started {
		b.WriteHeader(http.StatusOK)
	}
	n, err := b.write(b, p)
	b.written += int64(n)
	return n, err
}
