package transport

import (
	"context"
	"errors"
	"net/http"
	"time"
)

type briefKey struct{}

// Brief marks the requests to an endpoint that has another behind it. They are retried once,
// do not wait for the pauses that a registry asks for, and do not make it count as down: it
// may be a source or a target of its own.
func Brief(ctx context.Context) context.Context {
	return context.WithValue(ctx, briefKey{}, true)
}

func isBrief(ctx context.Context) bool { return ctx.Value(briefKey{}) != nil }

type noRetryKey struct{}

// WithoutRetry marks requests that have an alternative: they are sent once, and do not count
// for the health of the registry. They still wait for the pauses that a registry asks for.
func WithoutRetry(ctx context.Context) context.Context {
	return context.WithValue(ctx, noRetryKey{}, true)
}

// isNoRetry reports whether a request is not retried. A request for a token always is.
func isNoRetry(req *http.Request) bool {
	return req.Context().Value(noRetryKey{}) != nil && kind(req) != "token"
}

type relayKey struct{}

// Relayed returns the context of an upload whose bytes come from a download in flight.
// The two count as one request: if uploads waited for a slot while their downloads hold
// one, all slots could be held by downloads that wait.
func Relayed(ctx context.Context) context.Context {
	return context.WithValue(ctx, relayKey{}, true)
}

// lane selects the connections of a request. Metadata shares HTTP/2 connections. Bodies of
// blobs have HTTP/1.1 connections of their own, which is 2.4 times as fast over TLS and lets
// windows of one blob be fetched concurrently.
type lane int

const (
	metadata lane = iota
	download
	upload
	lanes
)

type laneKey struct{}

// withLane sets the lane of all requests with ctx, including redirects.
func withLane(ctx context.Context, l lane) context.Context {
	return context.WithValue(ctx, laneKey{}, l)
}

// Bulk marks the requests for large bodies: they get connections of their own.
func Bulk(ctx context.Context) context.Context { return withLane(ctx, download) }

type resumeTimeoutKey struct{}

// WithResumeTimeout bounds the time in which OpenRange opens a body, and in which its reader
// resumes after the body broke.
func WithResumeTimeout(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, resumeTimeoutKey{}, d)
}

// limitResume returns a context that ends after the resume timeout of ctx, unless done is
// called before.
func limitResume(ctx context.Context) (limited context.Context, done func()) {
	d, ok := ctx.Value(resumeTimeoutKey{}).(time.Duration)
	if !ok {
		return ctx, func() {}
	}
	limited, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(d, func() { cancel(ErrResumeTimeout) })
	return limited, func() { timer.Stop() }
}

// resumeError adds ErrResumeTimeout to err if that timeout ended ctx.
func resumeError(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrResumeTimeout) {
		return errors.Join(ErrResumeTimeout, err)
	}
	return err
}
