package bucket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
)

// Error reports a request that the object store refused, or that did not reach it.
type Error struct {
	Op        string // "get", "put", "list", "list uploads", ...
	Name      string // of the object, s3://BUCKET/KEY
	Status    int    // 0: there was no response
	Code      string // of the store, such as NoSuchBucket; may be empty
	Region    string // of the bucket, if the store says that it is another one
	Anonymous bool   // there were no credentials to send
	Err       error
}

func (e *Error) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Name, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, fs.ErrNotExist) true for an object that does not exist. A bucket
// that does not exist is another matter: nothing was looked up in it.
func (e *Error) Is(target error) bool {
	switch target {
	case fs.ErrNotExist:
		return e.Status == http.StatusNotFound && e.Code != minio.NoSuchBucket && e.Code != minio.NoSuchUpload
	case ErrCondition:
		// An object that is gone has no ETag that could match.
		return e.Status == http.StatusPreconditionFailed || e.Op == "put" && e.Code == minio.NoSuchKey
	case ErrUnsupported:
		return e.Status == http.StatusNotImplemented
	case ErrRange:
		return e.Status == http.StatusRequestedRangeNotSatisfiable
	case ErrNoUpload:
		return e.Code == minio.NoSuchUpload
	case ErrUnavailable:
		return !e.tells()
	case ErrRefused:
		busy := e.Status == http.StatusTooManyRequests || e.Status == http.StatusRequestTimeout || e.Status == http.StatusConflict
		return e.Status >= 300 && e.Status < 500 && !busy && !e.tells()
	}
	return false
}

// tells reports whether an error says something about an object.
func (e *Error) tells() bool {
	for _, known := range []error{fs.ErrNotExist, ErrCondition, ErrUnsupported, ErrRange, ErrNoUpload} {
		if e.Is(known) {
			return true
		}
	}
	return false
}

// ErrUnavailable is the error of a store that does not answer, is overloaded, or refuses the
// credentials: it says nothing about the object.
var ErrUnavailable = errors.New("the object store is unavailable")

// ErrRefused is an ErrUnavailable that lasts until someone changes rights, credentials or
// settings.
var ErrRefused = errors.New("the object store refuses this")

// ErrRange is the error for a part of an object that ends before it.
var ErrRange = errors.New("the object has no such part")

// ErrUnsupported is the error of a store that does not know a part of the protocol.
var ErrUnsupported = errors.New("the object store does not support this")

// ErrNoUpload is the error for an upload that was completed or aborted: by another process,
// or by a request whose response was lost.
var ErrNoUpload = errors.New("the upload does not exist")

// ErrCondition is the error of a write whose condition did not hold: another process has
// written or removed the object.
var ErrCondition = errors.New("the object was changed by another process")

// newError returns an error of minio-go as an *Error. The text of the store is kept, but not
// its identifiers of requests and hosts.
func newError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	e := &Error{Op: op, Name: name, Err: err}
	response, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok || response.StatusCode == 0 {
		return e
	}
	e.Status, e.Code, e.Region = response.StatusCode, response.Code, response.Region
	if e.Status < http.StatusMultipleChoices {
		e.Status = statusOf(e.Code)
	}
	e.Err = fmt.Errorf("%d %s", e.Status, plainText(response))
	return e
}

// statusOf returns the status of an error in the body of a response that began with 200: a
// store that takes long to complete an upload or to copy an object begins before it is done.
// A body that says nothing else is one that was cut off.
func statusOf(code string) int {
	switch code {
	case minio.PreconditionFailed:
		return http.StatusPreconditionFailed
	case "ConditionalRequestConflict", "OperationAborted":
		return http.StatusConflict
	case minio.NoSuchUpload, minio.NoSuchKey, minio.NoSuchBucket:
		return http.StatusNotFound
	case minio.AccessDenied:
		return http.StatusForbidden
	case "InvalidPart", "InvalidPartOrder", "EntityTooSmall", minio.InvalidArgument, "InvalidRequest":
		return http.StatusBadRequest
	case "SlowDown", "ServiceUnavailable":
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// plainText returns the message of the store without a full stop.
func plainText(r minio.ErrorResponse) string {
	message := strings.TrimSuffix(strings.TrimSpace(r.Message), ".")
	switch {
	case message == "" && r.Code == "":
		return strings.ToLower(http.StatusText(r.StatusCode))
	case message == "" || message == r.Code:
		return r.Code
	}
	return r.Code + ": " + message
}

// retryable reports whether the same request may succeed later.
func retryable(ctx context.Context, err error) bool {
	if ctx.Err() != nil || err == nil {
		return false
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.Status {
	case 0: // most errors of a connection have no type
		return !permanent(e.Err)
	case http.StatusConflict, // another write of the object is under way
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	case http.StatusBadRequest: // the body was cut off on its way
		return e.Code == "RequestTimeout" || e.Code == "IncompleteBody" || e.Code == "BadDigest" || e.Code == "XAmzContentSHA256Mismatch"
	}
	return false
}

// isExpired reports whether the session of the credentials has ended.
func isExpired(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && (e.Code == "ExpiredToken" || e.Code == "TokenRefreshRequired" || e.Code == "ExpiredTokenException")
}
