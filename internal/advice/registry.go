package advice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/credentials"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// The hints in this file go by the status and the error codes of a registry's answer, never
// by its messages.

// specHint advises on a registry without the referrers API that the user promised.
func specHint(err error) string {
	if !is[*registry.NoReferrersAPIError](err) {
		return ""
	}
	return "remove --distribution-spec, or distributionSpec from the spec, to detect how the registry stores referrers"
}

// rateHint advises on a rate limit, with the time to wait if the registry sends it.
func rateHint(err error) string {
	var limit *transport.RateLimitError
	var busy *transport.BusyError
	wait := ""
	switch {
	case errors.As(err, &limit):
		wait = "retry in " + text.Seconds(limit.RetryAfter)
	case errors.As(err, &busy) && busy.RetryAfter > 0:
		wait = "retry in " + text.Seconds(busy.RetryAfter)
	case transport.Status(err) == http.StatusTooManyRequests:
		wait = "retry later"
	default:
		return ""
	}
	return wait + "; the run resumes where it stopped. Logging in may raise the limit; lower --concurrency, or requestsPerSecond in the spec, to slow down"
}

// dockerHub is a registry whose repositories have two path components.
const dockerHub = "docker.io"

// depthHint advises on a path that the registry does not allow. Docker Hub answers that
// access is denied, others that the name is invalid.
func depthHint(err error) string {
	e, ref := refusedBy(err)
	deep := ref.Registry == dockerHub && strings.Count(ref.Repository, "/") > 1
	switch {
	case e == nil || transport.Status(err)/100 != 4:
		return ""
	case deep && isPush(e):
		return "Docker Hub allows only NAMESPACE/NAME: map the repository with --map SOURCE=NAMESPACE/NAME, or mappings in the spec"
	case deep:
		return "Docker Hub allows only NAMESPACE/NAME: check the name"
	case isPush(e) && transport.HasCode(err, errcode.ErrorCodeNameInvalid):
		return ref.Registry + " does not allow this path: map the repository to another with --map SOURCE=TARGET, or mappings in the spec"
	}
	return ""
}

// tagHint advises on immutable tags. ECR answers TAG_INVALID, Harbor 412, a locked tag of
// ACR and a read-only mirror 405, others 409.
func tagHint(err error) string {
	e, ref := refusedBy(err)
	if e == nil || !isPush(e) || ref.Tag == "" {
		return ""
	}
	switch status := transport.Status(err); {
	case transport.HasCode(err, "TAG_INVALID"), status == http.StatusPreconditionFailed, status == http.StatusConflict:
		return `the tag is immutable: set "existingTags: skip" for the target in the spec to skip existing tags`
	case status == http.StatusMethodNotAllowed:
		return "the tag or its repository may be locked, or " + ref.Registry + " may be a read-only mirror"
	}
	return ""
}

// unlistedHint advises on referrers that a registry accepts but does not list.
func unlistedHint(err error) string {
	if !is[*registry.UnlistedError](err) {
		return ""
	}
	return "retry when nothing else pushes referrers there, or skip referrers with --exclude-referrers"
}

// readOnlyHint advises on registries that accept no pushes: pull-through caches, and
// registries under maintenance.
func readOnlyHint(err error) string {
	e, ref := refusedBy(err)
	if e == nil || !isPush(e) || ref.Tag != "" {
		return ""
	}
	status := transport.Status(err)
	if status != http.StatusMethodNotAllowed && status != http.StatusNotImplemented && !transport.HasCode(err, errcode.ErrorCodeUnsupported) {
		return ""
	}
	return ref.Registry + " does not accept pushes: it may be a pull-through cache or read-only; restore to its upstream registry"
}

// createHint advises on registries where a push does not create the repository or its
// project.
func createHint(err error) string {
	e, ref := refusedBy(err)
	if e == nil || !isPush(e) || transport.Status(err) != http.StatusNotFound ||
		!transport.HasCode(err, errcode.ErrorCodeNameUnknown) && !transport.HasCode(err, "NOT_FOUND") {
		return ""
	}
	if isECR(ref.Registry) {
		return fmt.Sprintf(`create the repository first: "aws ecr create-repository --repository-name %s"; a push does not create it`, ref.Repository)
	}
	return fmt.Sprintf("create the repository or its project in %s first: a push does not create it", ref.Registry)
}

// isECR reports whether a host is a private registry of AWS
// (docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html).
func isECR(host string) bool {
	return strings.Contains(host, ".dkr.ecr.") || strings.Contains(host, ".dkr-ecr.")
}

// hidesAbsent lists registries that answer 401 instead of 404 for a repository that does
// not exist.
var hidesAbsent = map[string]bool{dockerHub: true, "ghcr.io": true, "quay.io": true}

// loginHint advises on missing credentials, wrong credentials and missing permissions.
func (h Hints) loginHint(err error) string {
	e, ref := refusedBy(err)
	code := transport.Status(err)
	none := errors.Is(err, auth.ErrBasicCredentialNotFound)
	if e == nil || !none && code != http.StatusUnauthorized && code != http.StatusForbidden {
		return ""
	}
	host := ref.Registry
	var helper *credentials.HelperError
	switch {
	case errors.As(err, &helper):
		return helperHint(helper)
	case code == http.StatusForbidden && isPush(e):
		return "check that the account has permission to push there, and that the tag is not protected"
	case code == http.StatusForbidden:
		return "check that the account has permission at " + host + orName(host)
	case h.CredentialFlags:
		return host + " rejected the credentials from the command line: check the user name and the password"
	case !none && credentials.Stored(context.Background(), h.CredentialFiles, host):
		return fmt.Sprintf(`%s rejected the stored credentials: log in again with "oras login %s"%s`, host, host, orName(host))
	}
	return fmt.Sprintf(`log in with "oras login %s"; oras-mirror uses the same credentials%s`, host, orName(host))
}

// helperHint shows how to run a credential helper. Its output is not part of the error,
// since it may have a secret.
func helperHint(e *credentials.HelperError) string {
	if errors.Is(e.Err, exec.ErrNotFound) {
		return "install " + e.Helper + ", or remove it from the credentials file"
	}
	return fmt.Sprintf(`run "echo %s | %s get" to see its error`, e.Address, e.Helper)
}

func orName(host string) string {
	if !hidesAbsent[host] {
		return ""
	}
	return ". Or check the name: " + host + " gives the same answer for a repository that does not exist"
}

// absentHint shows the nearest tags, or how to list tags and repositories.
func absentHint(err error) string {
	e, ref := refusedBy(err)
	if e == nil || !errors.Is(e, errdef.ErrNotFound) {
		return ""
	}
	var tag *engine.TagError
	known := errors.As(err, &tag)
	switch {
	case transport.HasCode(err, errcode.ErrorCodeNameUnknown) || ref.IsRepository() || known && tag.NoRepository:
		return fmt.Sprintf(`list the repositories with "oras repo ls %s"`, ref.Registry)
	case known:
		return nearestTags(tag)
	case ref.Tag != "":
		return fmt.Sprintf(`list the tags with "oras repo tags %s"`, ref.Name())
	case ref.Digest != "" && e.Op == "resolve": // the user named it
		return fmt.Sprintf(`the manifest may have been deleted; list the tags with "oras repo tags %s"`, ref.Name())
	}
	return ""
}

// refusedBy returns the error of a registry and the reference that it is about, or nil if
// err has none. Of a mirror it is the reference there.
func refusedBy(err error) (*registry.Error, config.Reference) {
	var e *registry.Error
	if !errors.As(err, &e) {
		return nil, config.Reference{}
	}
	if at, is := errors.AsType[*registry.MirrorError](e.Err); is {
		e = &registry.Error{Op: at.Op, Reference: at.Reference, Err: at.Err}
	}
	ref, parseErr := config.ParseReference(e.Reference)
	if parseErr != nil {
		ref.Registry, _, _ = strings.Cut(e.Reference, "/")
	}
	return e, ref
}

func isPush(e *registry.Error) bool { return e.Op == "push" || e.Op == "mount" }
