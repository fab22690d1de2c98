package advice

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"

	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bucket"
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
	if part, ok := errors.AsType[*store.PartError](err); ok {
		return "raise --buffer to " + text.Bytes(part.Buffer) + ", or back up to a layout: s3://BUCKET/PREFIX/"
	}
	e, ok := errors.AsType[*bucket.Error](err)
	if !ok {
		return ""
	}
	if e.Status == 0 {
		return endpointHint(err)
	}
	switch e.Code {
	case "NoSuchBucket":
		return "create the bucket, or check its name and the endpoint: AWS_ENDPOINT_URL, or buckets in the spec"
	case "InvalidBucketName":
		return "the name of a bucket has 3 to 63 lower-case letters, digits, dots and hyphens"
	case "RequestTimeTooSkewed":
		return "correct the clock of this machine"
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken":
		return "get new credentials: the session of these has ended"
	case "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile in AWS_PROFILE, and that they are for this endpoint"
	case "AuthorizationHeaderMalformed", "PermanentRedirect", "InvalidRegion", "IllegalLocationConstraintException":
		return regionHint(e.Region)
	case "AccessDenied":
		return "check that the credentials may list, read and write there; they come from AWS_ACCESS_KEY_ID, AWS_PROFILE or a role"
	}
	switch e.Status {
	case http.StatusMovedPermanently:
		return regionHint(e.Region)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return "the store limits requests: lower --concurrency, or run the same command later to resume"
	}
	return ""
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
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing is listening there: check the endpoint in AWS_ENDPOINT_URL, or in buckets in the spec"
	}
	return ""
}
