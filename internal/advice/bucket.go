package advice

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"syscall"

	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/object"
)

// bucketHint advises on what an object store said, and on the way to it.
func bucketHint(err error) string {
	if is[*store.UnconditionalError](err) {
		return "use a store with conditional writes, or --single-writer if no other process writes there at the same time"
	}
	if is[*store.RefusedError](err) {
		return "if no other process writes there, use --single-writer"
	}
	if is[*store.PrunedError](err) {
		return "run the same command again: it fetches what was removed; if a prune was interrupted, run that again first"
	}
	if list, ok := errors.AsType[*store.PruneListError](err); ok {
		return "remove " + list.Path + ": prune lists again what nothing references"
	}
	if part, ok := errors.AsType[*object.BufferError](err); ok {
		return "raise --buffer to " + text.Bytes(part.Buffer) + ", or back up to a layout: s3://BUCKET/PREFIX/"
	}
	input, ok := errors.AsType[*store.InputError](err)
	if ok && store.IsInBucket(input.Path) && errors.Is(err, fs.ErrNotExist) {
		return absentInBucketHint(input.Path)
	}
	e, ok := errors.AsType[*bucket.Error](err)
	switch {
	case !ok:
		return ""
	case e.Status == 0:
		return endpointHint(err)
	}
	return answerHint(e)
}

// answers has hints for the codes of answers that say by themselves what is wrong.
var answers = map[string]string{
	"NoSuchBucket":          "create the bucket, or check its name and the endpoint: AWS_ENDPOINT_URL, or buckets in the spec",
	"InvalidBucketName":     "the name of a bucket has 3 to 63 lower-case letters, digits, dots and hyphens",
	"RequestTimeTooSkewed":  "correct the clock of this machine",
	"ExpiredToken":          expiredSession,
	"ExpiredTokenException": expiredSession,
	"TokenRefreshRequired":  expiredSession,
	"InvalidToken":          expiredSession,
	"InvalidAccessKeyId":    wrongKey,
	"SignatureDoesNotMatch": wrongKey,
}

const (
	expiredSession = "get new credentials: the session of these has ended"
	wrongKey       = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_PROFILE, and that they are for this endpoint"
)

// answerHint advises on the answer of an object store.
func answerHint(e *bucket.Error) string {
	if hint := answers[e.Code]; hint != "" {
		return hint
	}
	switch e.Code {
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "InvalidRegion", "IllegalLocationConstraintException":
		return regionHint(e.Region)
	}
	switch e.Status {
	case http.StatusForbidden, http.StatusUnauthorized:
		return deniedHint(e)
	case http.StatusMovedPermanently:
		return regionHint(e.Region)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return "the store limits requests: lower --concurrency, or run the same command later to resume"
	}
	return ""
}

// permissions has those that a request needs, in the words of the policies of AWS.
var permissions = map[string]string{
	"get":          "s3:GetObject, and s3:ListBucket, without which AWS denies what does not exist",
	"stat":         "s3:GetObject, and s3:ListBucket, without which AWS denies what does not exist",
	"put":          "s3:PutObject",
	"list":         "s3:ListBucket",
	"list uploads": "s3:ListBucketMultipartUploads",
	"list parts":   "s3:ListMultipartUploadParts",
	"abort":        "s3:AbortMultipartUpload",
	"remove":       "s3:DeleteObject",
	"copy":         "s3:GetObject and s3:PutObject",
}

// deniedHint names the permission that a request needs.
func deniedHint(e *bucket.Error) string {
	if e.Anonymous {
		return "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
	}
	return "the credentials need the permission " + permissions[e.Op] + "; they come from AWS_ACCESS_KEY_ID, AWS_PROFILE or a role"
}

// isInBucket reports whether an error is of a prefix in a bucket, and not of a directory.
func isInBucket(err error) bool {
	e, ok := errors.AsType[*store.NotLayoutError](err)
	return ok && store.IsInBucket(e.Path)
}

// absentInBucketHint advises on a name in a bucket that leads to nothing: a slash decides what it means.
func absentInBucketHint(path string) string {
	at, err := bucket.ParseLocation(path)
	switch {
	case err != nil:
		return ""
	case at.Key == "":
		return "name the prefix of the layout, as in s3://" + at.Bucket + "/PREFIX/, or a bundle"
	case at.IsLayout():
		return "a slash at the end means a layout; the name of a bundle has none"
	}
	return "this is the name of a bundle; that of a layout ends in a slash: " + path + "/"
}

func regionHint(region string) string {
	if region == "" {
		return "set the region of the bucket in AWS_REGION, or in buckets in the spec"
	}
	return fmt.Sprintf("the bucket is in %s: set AWS_REGION=%s, or region in buckets in the spec", region, region)
}

// endpointHint advises on an endpoint that does not answer as expected.
func endpointHint(err error) string {
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case is[x509.UnknownAuthorityError](err):
		return "trust the authority that signed the certificate with caFile in buckets in the spec"
	case is[x509.HostnameError](err):
		return "if the certificate is not for the name of the bucket, set pathStyle in buckets in the spec"
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the endpoint uses http: begin it with http://"
	case isDNS && dns.IsNotFound:
		return "check the endpoint in AWS_ENDPOINT_URL, or in buckets in the spec; a store of your own may need pathStyle"
	case isDNS, errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "check the network of this machine, and the endpoint in AWS_ENDPOINT_URL, or in buckets in the spec"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing is listening there: check the endpoint in AWS_ENDPOINT_URL, or in buckets in the spec"
	}
	return ""
}
