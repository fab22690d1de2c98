package advice

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Hints turn the type of an error into what to do about it. They never look at
// its text. An error is a fact; advice is no part of it.
type Hints struct {
	CredentialFlags bool     // credentials came by flags
	CredentialFiles []string // of --registry-config
	Resume          string   // how to go on after an interruption
	BufferFlag      bool     // the command has --buffer
	InputFlag       bool     // the command has --input, and was given references instead
	OnlyInput       bool     // the command has --input, and no -f
	MissingSpace    int64    // bytes of disk that a run which found it full would have needed at least
}

// Of returns the advice for err, "" if there is none.
func (h Hints) Of(err error) string {
	for _, advise := range []func(error) string{
		h.againHint, usageHint, filesHint, h.referenceHint, h.spaceHint, h.memoryHint, outputHint, h.inputHint, selectionHint, lockHint, // what was asked for
		platformHint, existsHint, spentHint, // what there is
		proxyHint, certificateHint, schemeHint, reachHint, specHint, rateHint, depthHint, tagHint, readOnlyHint, unlistedHint, createHint, h.loginHint, absentHint, // what a registry said
	} {
		if hint := advise(err); hint != "" {
			return hint
		}
	}
	return ""
}

// againHint says what an interrupted run left to be gone on with.
func (h Hints) againHint(err error) string {
	if exit.Is[*exit.SignalError](err) {
		return h.Resume
	}
	return ""
}

func filesHint(err error) string {
	if !store.IsTooManyFiles(err) {
		return ""
	}
	return "lower --concurrency, or let the process open more files (ulimit -n)"
}

func usageHint(err error) string {
	var u *exit.UsageError
	if errors.As(err, &u) {
		return u.Hint
	}
	return ""
}

func outputHint(err error) string {
	switch {
	case exit.Is[*store.StrangerError](err):
		return "move it away, or name another output"
	case exit.Is[*exit.IncompleteError](err):
		return "back it up again: what is there is not fetched again"
	case exit.Is[*store.LockedError](err):
		return "wait until the other oras-mirror has ended"
	case exit.Is[*store.PruneError](err):
		return `"oras-mirror backup --verify-existing" into that directory replaces what is damaged`
	case exit.Is[*store.NotLayoutError](err):
		return "name an empty directory, one that holds an OCI layout, or one that does not exist yet and ends in /"
	}
	return ""
}

// spaceHint says how much is missing, as far as that is known.
func (h Hints) spaceHint(err error) string {
	var space *engine.SpaceError
	missing := h.MissingSpace
	switch {
	case errors.As(err, &space):
		missing = space.Need - space.Free
	case !errors.Is(err, syscall.ENOSPC):
		return ""
	}
	what := "free some space"
	if missing > 0 {
		what = "free " + text.Bytes(missing) + " more"
	}
	return what + ", or use another disk: --output of backup, --temp-dir of restore"
}

// memoryHint is for what is too much for the memory that a run may take.
func (h Hints) memoryHint(err error) string {
	if !h.BufferFlag || !exit.Is[*bounds.MemoryError](err) {
		return ""
	}
	return "a larger --buffer lets the run take more memory; or split it, by sources or --only"
}

// dockerHint is the line that makes a layout of a docker-archive.
func dockerHint(err error) string {
	var docker *store.DockerArchiveError
	var input *store.InputError
	if !errors.As(err, &docker) {
		return ""
	}
	from, name, more := "FILE", "", ""
	if errors.As(err, &input) && input.Path != "standard input" {
		from = input.Path
	}
	switch {
	case len(docker.Images) > 0:
		from += ":" + docker.Images[0]
		name = ":" + fullReference(docker.Images[0])
	case docker.Many:
		from += ":@0"
	}
	if len(docker.Images) > 1 || docker.Many {
		more = ", once for each of its images"
	}
	return fmt.Sprintf(`"skopeo copy docker-archive:%s oci:converted%s" makes an OCI layout of it%s: name that with "--input converted"`, from, name, more)
}

// fullReference writes out what docker leaves out of a name.
func fullReference(name string) string {
	var r *config.ReferenceError
	if _, err := config.ParseReference(name); errors.As(err, &r) && r.Suggestion != "" {
		return r.Suggestion
	}
	return name
}

func (h Hints) inputHint(err error) string {
	var input *store.InputError
	switch {
	case exit.Is[*store.DockerArchiveError](err):
		return dockerHint(err)
	case !errors.As(err, &input) || errors.Is(err, fs.ErrNotExist) && !filetype.Exists(input.Path) || errors.Is(err, fs.ErrPermission) || exit.Is[*bounds.MemoryError](err):
		return ""
	case filetype.Exists(input.Path) && filetype.Guess(input.Path) == filetype.Spec:
		if h.OnlyInput {
			return input.Path + " is a mirror spec, which backup and restore take with -f; --input names what a backup wrote"
		}
		return DidYouMean("-f " + input.Path)
	case exit.Is[*bundle.LinkError](err):
		return "unpack it, and name the folder with --input"
	case exit.Is[*store.LateError](err):
		return "write it to a file, and name that with --input"
	case errors.Is(err, io.ErrUnexpectedEOF) || exit.Is[*bundle.FormatError](err):
		return "the file is damaged or truncated: copy it again"
	}
	return `name what "oras-mirror backup" wrote, or any other OCI layout: a directory, or a tar archive of it`
}

func selectionHint(err error) string {
	var selection *engine.SelectionError
	var bare *engine.NameError
	var collision *engine.CollisionError
	var retag *engine.RetagError
	var only *engine.OnlyError
	switch {
	case errors.As(err, &collision):
		return collisionHint(collision)
	case errors.As(err, &only):
		return onlyHint(only.Pattern)
	case exit.Is[*engine.UnmatchedError](err):
		return `a mapping matches whole components of a path, from the first on; "oras-mirror list --input PATH" shows them`
	case errors.As(err, &bare) && strings.HasPrefix(bare.Place, "the layout"):
		return `name one beside the layout in the spec: "repository: REGISTRY/REPOSITORY"`
	case errors.As(err, &bare):
		return "name a repository for them: REGISTRY/REPOSITORY"
	case errors.As(err, &retag):
		tag := retag.Target[strings.LastIndexByte(retag.Target, ':')+1:]
		return fmt.Sprintf("leave :%s out of the target; --only '**:%s' restores only that tag, and mappings in the spec rename tags", tag, tag)
	case exit.Is[*engine.EntryNameError](err):
		return `rename it with "oras tag --oci-layout LAYOUT@DIGEST TAG"`
	case errors.As(err, &selection):
		return nearestHint(selection) + `where that may happen, write "optional: true" beside the repository in the spec`
	}
	return ""
}

func onlyHint(pattern string) string {
	const list = `"oras-mirror list --input PATH" shows the references that a pattern can match`
	if _, name, found := strings.Cut(pattern, "://"); found {
		return DidYouMean(name)
	}
	if strings.ContainsAny(pattern, "*?[{:") {
		return list
	}
	return fmt.Sprintf("'%s/**' matches all below %s; %s", strings.TrimRight(pattern, "/"), pattern, list)
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
	case len(names) == 0 || e.Of == 1: // the error names the one there is
		return ""
	case len(names) <= fewNames:
		return fmt.Sprintf("the %s are %s; ", e.Noun, strings.Join(names, ", "))
	}
	return fmt.Sprintf("the last %s of the list are %s; ", e.Noun, strings.Join(names[len(names)-fewNames:], ", "))
}

func lockHint(err error) string {
	switch {
	case exit.Is[*exit.NoLockError](err):
		return `"oras-mirror lock -f SPEC" writes it`
	case exit.Is[*exit.DriftError](err):
		return exit.LockAnew
	}
	return ""
}

// platformHint is about indexes that are or were to be cut down.
func platformHint(err error) string {
	var platform *engine.PlatformError
	switch {
	case errors.As(err, &platform):
		return "choose among these with --platform, or platforms in the spec: " + strings.Join(platform.Have, ", ")
	case exit.Is[*engine.SparseError](err):
		return `with --platform-mode rewrite, or "platformMode: rewrite" beside the target in the spec, the index names only what is there (its signatures then no longer hold); or back up all platforms`
	}
	return ""
}

func existsHint(err error) string {
	if !exit.Is[*engine.ExistsError](err) {
		return ""
	}
	return "set existingTags of the target in the spec to overwrite, skip or fail"
}

func spentHint(err error) string {
	if !errors.Is(err, engine.ErrSpent) {
		return ""
	}
	return "with --temp-dir PATH a large blob of a pipe is kept until the registry has taken it, and can be sent again"
}

// DidYouMean is a hint that names what was meant; empty if there is nothing to name.
func DidYouMean(words ...string) string {
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, fmt.Sprintf("%q", word))
	}
	if len(quoted) == 0 {
		return ""
	}
	return "did you mean " + strings.Join(quoted, " or ") + "?"
}
