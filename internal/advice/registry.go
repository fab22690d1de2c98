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
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// The hints in this file are about what a registry said: the status and the codes
// of its answer, and never its words.

// specHint is for a registry that is said to have what it has not.
func specHint(err error) string {
	if !exit.Is[*registry.NoReferrersAPIError](err) {
		return ""
	}
	return "without --distribution-spec, or distributionSpec in the spec, the registry is asked how it keeps referrers"
}

// rateHint says how long to wait, if the registry said it.
func rateHint(err error) string {
	var limit *registry.RateLimitError
	var busy *registry.BusyError
	wait := ""
	switch {
	case errors.As(err, &limit):
		wait = "retry in " + text.Seconds(limit.RetryAfter)
	case errors.As(err, &busy) && busy.RetryAfter > 0:
		wait = "retry in " + text.Seconds(busy.RetryAfter)
	case registry.Status(err) == http.StatusTooManyRequests:
		wait = "retry later"
	default:
		return ""
	}
	return wait + "; the run resumes where it stopped. Logging in may raise the limit; lower --concurrency, or requestsPerSecond in the spec, to slow down"
}

// dockerHub has repositories of two levels and no deeper ones.
const dockerHub = "docker.io"

// depthHint is for a path that the registry cannot have: Docker Hub answers as to
// one who may not see it, others say that the name is invalid.
func depthHint(err error) string {
	e, ref := refusedBy(err)
	deep := ref.Registry == dockerHub && strings.Count(ref.Repository, "/") > 1
	switch {
	case e == nil || registry.Status(err)/100 != 4:
		return ""
	case deep && isPush(e):
		return "Docker Hub has two levels, NAMESPACE/NAME: put it there with --map SOURCE=NAMESPACE/NAME, or mappings in the spec"
	case deep:
		return "Docker Hub has two levels, NAMESPACE/NAME: check the name"
	case isPush(e) && registry.HasCode(err, errcode.ErrorCodeNameInvalid):
		return ref.Registry + " takes no such path: put it elsewhere with --map SOURCE=TARGET, or mappings in the spec"
	}
	return ""
}

// tagHint is for tags that may not be moved. ECR says TAG_INVALID, Harbor 412, a
// locked tag of ACR and a registry that is a mirror itself 405, others 409.
func tagHint(err error) string {
	e, ref := refusedBy(err)
	if e == nil || !isPush(e) || ref.Tag == "" {
		return ""
	}
	switch status := registry.Status(err); {
	case registry.HasCode(err, "TAG_INVALID"), status == http.StatusPreconditionFailed, status == http.StatusConflict:
		return `the tag is immutable there: "existingTags: skip" beside the target in the spec leaves such tags as they are`
	case status == http.StatusMethodNotAllowed:
		return "the tag or its repository may be locked there, or " + ref.Registry + " is a mirror that takes no pushes"
	}
	return ""
}

// unlistedHint is for referrers that a registry takes and does not list.
func unlistedHint(err error) string {
	if !exit.Is[*registry.UnlistedError](err) {
		return ""
	}
	return "run it again when nothing else pushes referrers there; --exclude-referrers leaves them out"
}

// readOnlyHint is for registries that take nothing: pull-through caches, and those
// that are being moved.
func readOnlyHint(err error) string {
	e, ref := refusedBy(err)
	if e == nil || !isPush(e) || ref.Tag != "" {
		return ""
	}
	status := registry.Status(err)
	if status != http.StatusMethodNotAllowed && status != http.StatusNotImplemented && !registry.HasCode(err, errcode.ErrorCodeUnsupported) {
		return ""
	}
	return ref.Registry + " takes no pushes: it may be a pull-through cache, or read-only; restore to the registry that it gets its content from"
}

// createHint is for registries that make no repository, or no project, when
// something is pushed into it.
func createHint(err error) string {
	e, ref := refusedBy(err)
	if e == nil || !isPush(e) || registry.Status(err) != http.StatusNotFound ||
		!registry.HasCode(err, errcode.ErrorCodeNameUnknown) && !registry.HasCode(err, "NOT_FOUND") {
		return ""
	}
	if isECR(ref.Registry) {
		return fmt.Sprintf(`create the repository first: "aws ecr create-repository --repository-name %s"; a push makes none there`, ref.Repository)
	}
	return fmt.Sprintf("create the repository, or the project that it is in, at %s first: a push makes none there", ref.Registry)
}

// isECR knows the private registries of AWS by their names
// (docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html).
func isECR(host string) bool {
	return strings.Contains(host, ".dkr.ecr.") || strings.Contains(host, ".dkr-ecr.")
}

// hidesAbsent are registries that tell nobody that a repository is not there: they
// answer as if one had to log in.
var hidesAbsent = map[string]bool{dockerHub: true, "ghcr.io": true, "quay.io": true}

// loginHint tells those who have no credentials from those whose credentials
// are wrong.
func (h Hints) loginHint(err error) string {
	e, ref := refusedBy(err)
	code := registry.Status(err)
	none := errors.Is(err, auth.ErrBasicCredentialNotFound)
	if e == nil || !none && code != http.StatusUnauthorized && code != http.StatusForbidden {
		return ""
	}
	host := ref.Registry
	var helper *registry.HelperError
	switch {
	case errors.As(err, &helper):
		return helperHint(helper)
	case code == http.StatusForbidden && isPush(e):
		return "check that the account has permission to push there, and that the tag may be moved"
	case code == http.StatusForbidden:
		return "check that the account has permission at " + host + orName(host)
	case h.CredentialFlags:
		return host + " refuses the credentials that were given: check user name and password"
	case !none && registry.Stored(context.Background(), h.CredentialFiles, host):
		return fmt.Sprintf(`%s refuses the stored credentials: log in again with "oras login %s"%s`, host, host, orName(host))
	}
	return fmt.Sprintf(`log in with "oras login %s"; oras-mirror uses the same credentials%s`, host, orName(host))
}

// helperHint shows how to see what a helper says: it may be a secret, which we do not
// print.
func helperHint(e *registry.HelperError) string {
	if errors.Is(e.Err, exec.ErrNotFound) {
		return "install " + e.Helper + ", or take it out of the credentials file"
	}
	return fmt.Sprintf(`"echo %s | %s get" shows what it says`, e.Address, e.Helper)
}

func orName(host string) string {
	if !hidesAbsent[host] {
		return ""
	}
	return ". Or check the name: " + host + " answers so, too, where there is no such repository"
}

// absentHint says what there is, or how to find out.
func absentHint(err error) string {
	e, ref := refusedBy(err)
	if e == nil || !errors.Is(e, errdef.ErrNotFound) {
		return ""
	}
	var tag *engine.TagError
	known := errors.As(err, &tag)
	switch {
	case registry.HasCode(err, errcode.ErrorCodeNameUnknown) || ref.IsRepository() || known && tag.NoRepository:
		return fmt.Sprintf(`"oras repo ls %s" lists the repositories that there are`, ref.Registry)
	case known:
		return nearestTags(tag)
	case ref.Tag != "":
		return fmt.Sprintf(`"oras repo tags %s" lists the tags that there are`, ref.Name())
	case ref.Digest != "" && e.Op == "resolve": // it was asked for by name
		return fmt.Sprintf(`the manifest may have been deleted there; "oras repo tags %s" lists the tags that there are`, ref.Name())
	}
	return ""
}

// refusedBy returns what a registry refused, nil if it was no registry.
func refusedBy(err error) (*registry.Error, config.Reference) {
	var e *registry.Error
	if !errors.As(err, &e) {
		return nil, config.Reference{}
	}
	ref, parseErr := config.ParseReference(e.Reference)
	if parseErr != nil {
		ref.Registry, _, _ = strings.Cut(e.Reference, "/")
	}
	return e, ref
}

func isPush(e *registry.Error) bool { return e.Op == "push" || e.Op == "mount" }
