package transport

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// minProgress is the number of bytes that a body has to deliver within the stall timeout.
// Even very slow lines deliver that in two seconds.
const minProgress = 4 << 10

// watchedBody is the body of a response. It holds the request's slot in the limits until it
// is closed, and ends the request if reads wait too long for too little. The time between
// reads does not count.
type watchedBody struct {
	io.ReadCloser
	stall time.Duration
	timer *time.Timer
	fired *atomic.Bool // the timer has ended the request

	waited time.Duration // in reads since the last progress
	got    int           // bytes since then

	small bool
	eof   bool
	end   func()
}

// watch returns the watched body of resp. It calls end once, when the body is closed.
func watch(resp *http.Response, stall time.Duration, cancel context.CancelCauseFunc, end func()) io.ReadCloser {
	if resp.Body == http.NoBody || resp.ContentLength == 0 {
		resp.Body.Close()
		end()
		return http.NoBody
	}
	b := &watchedBody{
		ReadCloser: resp.Body,
		stall:      stall,
		fired:      new(atomic.Bool),
		small:      resp.ContentLength >= 0 && resp.ContentLength <= maxErrorBody || resp.StatusCode >= 400,
		end:        sync.OnceFunc(end),
	}
	b.timer = time.AfterFunc(stall, func() {
		b.fired.Store(true)
		cancel(ErrStalled)
	})
	b.timer.Stop()
	return b
}

func (b *watchedBody) Read(p []byte) (int, error) {
	began := time.Now()
	b.timer.Reset(b.stall - b.waited)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	b.waited += time.Since(began)
	if b.got += n; b.got >= minProgress {
		b.waited, b.got = 0, 0
	}
	b.eof = b.eof || err == io.EOF
	if err != nil && err != io.EOF && b.fired.Load() {
		err = ErrStalled
	}
	return n, err
}

// Close reads the rest of a small body first, so that its connection can be reused: each 401
// before a token would cost one.
func (b *watchedBody) Close() error {
	if b.small && !b.eof {
		io.CopyN(io.Discard, b, maxErrorBody)
	}
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.end()
	return err
}

func canRewind(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

// rewind returns req with its body at the start.
func rewind(req *http.Request) (*http.Request, error) {
	if req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := req.WithContext(req.Context())
	again.Body = body
	return again, nil
}

// Drain discards a response, so that its connection can be reused and its slot is released.
func Drain(resp *http.Response) {
	io.CopyN(io.Discard, resp.Body, maxErrorBody)
	resp.Body.Close()
}

// maxErrorBody is ample: the error responses of registries have about 200 bytes.
const maxErrorBody = 8 << 10

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
