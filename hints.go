package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"syscall"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// hints turn the type of an error into what to do about it. They never look at
// its text. An error is a fact; advice is no part of it.
type hints struct {
	given bool     // credentials came by flags
	files []string // of --registry-config
	again string   // how to go on after an interruption
}

// of returns the advice for err, "" if nobody knows any.
func (h hints) of(err error) string {
	for _, advise := range []func(error) string{
		h.againHint, usageHint, referenceHint, outputHint, inputHint, selectionHint, lockHint, // what was asked for
		platformHint, existsHint, spentHint, // what there is
		certificateHint, schemeHint, rateHint, h.loginHint, absentHint, // what a registry said
	} {
		if hint := advise(err); hint != "" {
			return hint
		}
	}
	return ""
}

// againHint says what an interrupted run left to be gone on with.
func (h hints) againHint(err error) string {
	if is[*stoppedError](err) {
		return h.again
	}
	return ""
}

func usageHint(err error) string {
	var u *usageError
	if errors.As(err, &u) {
		return u.hint
	}
	return ""
}

func referenceHint(err error) string {
	var r *config.ReferenceError
	var fault config.Fault
	suggestion := ""
	switch {
	case errors.As(err, &fault):
		suggestion = fault.Suggestion
	case errors.As(err, &r):
		suggestion = r.Suggestion
	}
	if suggestion == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", suggestion)
}

func outputHint(err error) string {
	switch {
	case is[*store.LockedError](err):
		return "wait until the other oras-mirror has ended"
	case is[*store.PruneError](err):
		return `"oras-mirror backup --verify-existing" into that directory replaces what is damaged`
	case is[*store.NotLayoutError](err):
		return "name an empty directory, one that holds an OCI layout, or one that does not exist yet and ends in /"
	case is[*engine.SpaceError](err) || errors.Is(err, syscall.ENOSPC):
		return "free some space, or use another disk: --output of backup, --temp-dir of restore"
	}
	return ""
}

func inputHint(err error) string {
	switch {
	case !is[*store.InputError](err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission):
		return ""
	case errors.Is(err, io.ErrUnexpectedEOF) || is[*bundle.FormatError](err):
		return "it is not as it was written: copy it once more"
	}
	return `--input takes what "oras-mirror backup" writes, and any other OCI layout: a directory, or a tar archive of it`
}

func selectionHint(err error) string {
	var selection *engine.SelectionError
	switch {
	case is[*engine.CollisionError](err):
		return "send one of them elsewhere with mappings in the spec, or leave it out"
	case is[*engine.OnlyError](err):
		return `"oras-mirror list --input PATH" shows the references that a pattern can match`
	case is[*engine.NameError](err):
		return "name a repository for them: REGISTRY/REPOSITORY"
	case errors.As(err, &selection):
		return nearestHint(selection) + `where that may happen, write "optional: true" beside the repository in the spec`
	}
	return ""
}

// fewNames are as many as a hint can show.
const fewNames = 5

// nearestHint shows some of what there is to select from: of tags the last ones
// of the list, which most registries sort.
func nearestHint(e *engine.SelectionError) string {
	var names []string
	for _, name := range e.Names {
		if !config.IsReferrersTag(name) {
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case len(names) <= fewNames:
		return fmt.Sprintf("the %s are %s; ", e.Noun, strings.Join(names, ", "))
	}
	return fmt.Sprintf("the last %s of the list are %s; ", e.Noun, strings.Join(names[len(names)-fewNames:], ", "))
}

func lockHint(err error) string {
	switch {
	case is[*noLockError](err):
		return `"oras-mirror lock -f SPEC" writes it`
	case is[*driftError](err):
		return lockAnew
	}
	return ""
}

// platformHint is about indexes that are or were to be cut down.
func platformHint(err error) string {
	var platform *engine.PlatformError
	switch {
	case errors.As(err, &platform):
		return "choose among these with --platform, or platforms in the spec: " + strings.Join(platform.Have(), ", ")
	case is[*engine.SparseError](err):
		return `write "platformMode: rewrite" beside the target in the spec, and the index names only what is there (its signatures then no longer hold), or back up all platforms`
	}
	return ""
}

func existsHint(err error) string {
	if !is[*engine.ExistsError](err) {
		return ""
	}
	return "existingTags of the target in the spec says what to do: overwrite, skip or fail"
}

func spentHint(err error) string {
	if !errors.Is(err, engine.ErrSpent) {
		return ""
	}
	return "with --temp-dir PATH a large blob of a pipe is kept until the registry has taken it, and can be sent again"
}

func certificateHint(err error) string {
	if is[x509.UnknownAuthorityError](err) {
		return "trust the authority that signed the certificate with --ca-file PATH, or caFile in the spec"
	}
	return ""
}

// schemeHint knows what net/http says of http where it expected TLS, and what
// a server says that is asked the other way round: 400, and no error in the
// registry's words.
func schemeHint(err error) string {
	var r *errcode.ErrorResponse
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the registry speaks http: --plain-http, or plainHTTP in the spec"
	case errors.As(err, &r) && r.URL != nil && r.URL.Scheme == "http" &&
		r.StatusCode == http.StatusBadRequest && len(r.Errors) == 0:
		return "the registry may speak https: --plain-http=false, or plainHTTP in the spec"
	}
	return ""
}

func rateHint(err error) string {
	if !is[*registry.RateLimitError](err) && statusOf(err) != http.StatusTooManyRequests {
		return ""
	}
	return "logged in you may have a higher limit; --concurrency, or requestsPerSecond in the spec, slow a run down"
}

// loginHint tells those who have no credentials from those whose credentials
// are wrong.
func (h hints) loginHint(err error) string {
	host := registryOf(err)
	code := statusOf(err)
	none := errors.Is(err, auth.ErrBasicCredentialNotFound)
	switch {
	case host == "" || !none && code != http.StatusUnauthorized && code != http.StatusForbidden:
		return ""
	case code == http.StatusForbidden:
		return "check that the account that is used may do this at " + host
	case h.given:
		return host + " refuses the credentials that were given: check user name and password"
	case !none && stored(h.files, host):
		return fmt.Sprintf(`%s refuses the stored credentials: log in anew with "oras login %s"`, host, host)
	}
	return fmt.Sprintf(`log in with "oras login %s"; oras-mirror uses the same credentials`, host)
}

// absentHint says how to find out what there is.
func absentHint(err error) string {
	var e *registry.Error
	if !errors.As(err, &e) || !errors.Is(e, errdef.ErrNotFound) {
		return ""
	}
	ref, parseErr := config.ParseReference(e.Reference)
	switch {
	case parseErr != nil:
		return ""
	case hasCode(err, errcode.ErrorCodeNameUnknown) || ref.IsRepository():
		return fmt.Sprintf(`"oras repo ls %s" lists the repositories that there are`, ref.Registry)
	case ref.Tag != "":
		return fmt.Sprintf(`"oras repo tags %s" lists the tags that there are`, ref.Name())
	}
	return ""
}

func statusOf(err error) int {
	var r *errcode.ErrorResponse
	if errors.As(err, &r) {
		return r.StatusCode
	}
	return 0
}

func hasCode(err error, code string) bool {
	var r *errcode.ErrorResponse
	if !errors.As(err, &r) {
		return false
	}
	for _, e := range r.Errors {
		if e.Code == code {
			return true
		}
	}
	return false
}

// registryOf names the registry that an error is about.
func registryOf(err error) string {
	var e *registry.Error
	if !errors.As(err, &e) {
		return ""
	}
	host, _, _ := strings.Cut(e.Reference, "/")
	return host
}
