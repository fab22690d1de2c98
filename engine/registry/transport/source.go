package transport

import (
	"io"
	"os"
	"sync"
)

// source is a body whose bytes may be in memory that is reused: net/http may go on reading
// after it has returned a response, until it closes the body.
type source struct {
	io.ReadCloser
	once   sync.Once
	closed chan struct{}
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil && err != io.EOF && !isType[*ReopenError](err) {
		err = SourceError{err}
	}
	return n, err
}

func (s *source) Close() error {
	defer s.once.Do(func() { close(s.closed) })
	return s.ReadCloser.Close()
}

// sendable returns the body to pass to net/http, and a function that waits until net/http
// has closed it. A file is passed unchanged: a wrapper would prevent sendfile.
func sendable(body io.ReadCloser) (io.ReadCloser, func()) {
	if f, ok := body.(*os.File); ok {
		return f, func() {}
	}
	if f, ok := body.(interface{ File() *os.File }); ok && f.File() != nil {
		return f.File(), func() { body.Close() }
	}
	s := &source{ReadCloser: body, closed: make(chan struct{})}
	return s, func() { <-s.closed }
}
