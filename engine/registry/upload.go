package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// maxUploads bounds how often a blob is sent, each time from the start in a new session,
// after the session or the connection was lost. For a registry with a transient error, or
// one whose tokens expire before their request gets a slot, the limit is transport.MaxTries.
const maxUploads = 3

// session is an upload session that a registry has opened.
type session struct {
	url           *url.URL
	authorization transport.Authorization // of the POST; the PUT cannot be sent twice
	minChunk      int64
}

// PushBlob uploads a blob. open returns its bytes from the start; PushBlob calls it again if
// they have to be sent again (a token that expired, a broken connection), and an error of it
// then ends the upload. PushBlob closes the reader. A reader that is an *os.File is sent with
// sendfile; one of FetchBlob shares its slot in the limits with the upload, even inside a
// reader that has Unwrap.
func (r *Repository) PushBlob(ctx context.Context, desc ocispec.Descriptor, open func() (io.ReadCloser, error)) error {
	return r.fail("push", r.fullName(desc.Digest.String()), r.pushBlob(ctx, desc, nil, open))
}

// pushBlob uploads a blob in a session, or in a new one if s is nil.
func (r *Repository) pushBlob(ctx context.Context, desc ocispec.Descriptor, s *session, open func() (io.ReadCloser, error)) error {
	r.ExpectPush()
	if err := desc.Digest.Validate(); err != nil {
		return err
	}
	since := r.host.Retry().Now()
	source, inChunks := open, false
	for try := 1; ; try++ {
		retry, err := r.pushOnce(ctx, desc, s, source, inChunks)
		if err == nil || ctx.Err() != nil {
			return err
		}
		s = nil
		if isRefusalOfSource(err) && try < transport.MaxTries {
			source = reopen(open, err) // without a pause: another source is asked
			continue
		}
		if !inChunks && transport.Status(err) == http.StatusRequestEntityTooLarge {
			source, inChunks, try = open, true, 0
			continue
		}
		if transport.Status(err) == http.StatusUnauthorized && retry && try < maxSends(err) {
			source = reopen(open, err) // without a pause, which does not help a token
			continue
		}
		if !retry || try >= maxSends(err) || r.host.Wait(ctx, try, since, err) != nil {
			if s := transport.Status(err); s == 0 || transport.RetryableStatus(s) {
				r.host.RecordFailure("PUT "+desc.Digest.String(), err)
			}
			return err
		}
		source = reopen(open, err)
	}
}

// reopen returns open for another try. If open fails, the error of the last try is part of
// its error.
func reopen(open func() (io.ReadCloser, error), last error) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		body, err := open()
		if err != nil {
			err = fmt.Errorf("%w (retry failed: %w)", last, err)
		}
		return body, err
	}
}

// pushOnce sends a blob once. retry reports whether a new session may succeed; the request
// that opens one has its own retries.
func (r *Repository) pushOnce(ctx context.Context, desc ocispec.Descriptor, s *session, open func() (io.ReadCloser, error), inChunks bool) (retry bool, err error) {
	if s == nil {
		if s, err = r.startUpload(ctx); err != nil {
			return false, err
		}
	}
	body, err := open()
	if err != nil {
		if isType[*transport.ReopenError](err) {
			return true, err
		}
		return false, transport.SourceError{Err: err}
	}
	if inChunks {
		err = r.putChunks(ctx, desc, s, body)
	} else {
		err = r.put(ctx, desc, s, body)
	}
	return resendable(err), err
}

// put completes an upload with one request that has all bytes.
func (r *Repository) put(ctx context.Context, desc ocispec.Descriptor, s *session, body io.ReadCloser) error {
	u := *s.url
	// Appended: the existing query may be signed in its order.
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "digest=" + url.QueryEscape(desc.Digest.String())
	_, err := r.http.Upload(relayContext(ctx, body), transport.Upload{
		Method: http.MethodPut, URL: &u, Authorization: s.authorization,
		Header: relayHeader(body), Body: body, Size: desc.Size,
	}, http.StatusCreated, http.StatusOK, http.StatusNoContent)
	return err
}

// relayContext returns the context of the requests that upload body.
func relayContext(ctx context.Context, body io.ReadCloser) context.Context {
	switch innermost(body).(type) {
	case *blob, Relayed:
		return transport.Relayed(ctx)
	}
	return ctx
}

// startUpload opens a session. Its POST also renews the token.
func (r *Repository) startUpload(ctx context.Context) (*session, error) {
	req, err := r.http.Request(ctx, http.MethodPost, r.url("blobs", "uploads/"), nil)
	if err != nil {
		return nil, err
	}
	resp, err := r.http.Send(req, http.StatusAccepted)
	if err != nil {
		return nil, err
	}
	return readSession(resp)
}

// readSession returns the session in a response, and closes the response.
func readSession(resp *http.Response) (*session, error) {
	resp.Body.Close()
	location := resp.Header.Get("Location")
	if location == "" {
		return nil, errors.New("the registry sent no upload location")
	}
	u, err := transport.ResolveLocation(resp.Request.URL, location)
	if err != nil {
		return nil, err
	}
	s := &session{url: u}
	if transport.SameOrigin(u, resp.Request.URL) {
		s.authorization = transport.AuthorizationOf(resp)
	}
	s.minChunk, _ = strconv.ParseInt(resp.Header.Get("OCI-Chunk-Min-Length"), 10, 64)
	return s, nil
}

// resendable reports whether a new session may succeed. A server that refuses a body early
// and closes the connection looks like a broken connection.
func resendable(err error) bool {
	if err == nil {
		return false
	}
	switch s := transport.Status(err); {
	case s == http.StatusUnauthorized, s == http.StatusNotFound:
		return true // the token expired; the session is not known any more
	case s != 0:
		return transport.RetryableStatus(s)
	}
	return !transport.IsPermanent(err)
}

// isRefusalOfSource reports whether a reader failed for a reason that does not change, and
// has another source to read from.
func isRefusalOfSource(err error) bool {
	reopened, is := errors.AsType[*transport.ReopenError](err)
	return is && (transport.IsPermanent(reopened.Err) || transport.Status(reopened.Err) != 0 && !transport.RetryableStatus(transport.Status(reopened.Err)))
}

// maxSends returns how often to send a blob that fails with err.
func maxSends(err error) int {
	if transport.RetryableStatus(transport.Status(err)) || transport.IsExpired(err) {
		return transport.MaxTries
	}
	return maxUploads
}
