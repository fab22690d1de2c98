// Package advice turns the type of an error into a hint: what to do about it. It never
// looks at the text of an error, and an error never contains advice.
package advice

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// Hints gives hints for errors. Its fields describe the command that failed; the zero value
// gives the hints that hold for every command.
type Hints struct {
	CredentialFlags bool     // flags give credentials
	CredentialFiles []string // the values of --registry-config
	Resume          string   // how to resume after an interruption
	BufferFlag      bool     // the command has --buffer
	InputFlag       bool     // the command has --input, and was given references instead
	BaseFlag        bool     // --base was given
	OutputFlag      bool     // the command has --output, which was not given
	OnlyInput       bool     // the command has --input, and no -f
	Manifests       bool     // the command reads manifests of Kubernetes, and no spec
	MissingSpace    int64    // bytes that a full disk lacked at least; 0 if unknown
}

// Of returns the hint for err, or "" if there is none.
func (h Hints) Of(err error) string {
	for _, advise := range []func(error) string{
		h.resumeHint, usageHint, migrateHint, filesHint, bucketHint, manifestHint, h.referenceHint, h.spaceHint, h.memoryHint, outputHint, h.inputHint, h.noFileHint, selectionHint, chartHint, lockHint, // the command line and the disk
		trustHint, statementHint, baseHint, corruptHint, inputsHint, platformHint, existsHint, spentHint, // artifacts
		addressHint, proxyHint, certificateHint, schemeHint, reachHint, specHint, rateHint, depthHint, tagHint, readOnlyHint, unlistedHint, createHint, h.loginHint, absentHint, // registries
	} {
		if hint := advise(err); hint != "" {
			return hint
		}
	}
	return ""
}

// addressHint is the hint for a server that cannot listen on its address.
func addressHint(err error) string {
	if errors.Is(err, syscall.EADDRINUSE) {
		return "another program listens there: choose another address with --listen"
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "listen" && errors.Is(err, syscall.EADDRNOTAVAIL) {
		return "this machine does not have that address: choose another one with --listen"
	}
	return ""
}

// resumeHint tells how to resume an interrupted run.
func (h Hints) resumeHint(err error) string {
	if is[*exit.SignalError](err) {
		return h.Resume
	}
	return ""
}

func filesHint(err error) string {
	if !disk.IsTooManyFiles(err) {
		return ""
	}
	return "lower --concurrency, or raise the limit of open files (ulimit -n)"
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
	case is[*disk.StrangerError](err):
		return "move it, or choose another output"
	case is[*exit.IncompleteError](err):
		return incompleteHint(err)
	case is[*disk.LockedError](err):
		return "wait for the other oras-mirror process to finish"
	case is[*store.PruneError](err):
		return `replace damaged content with "oras-mirror backup --verify-existing" into that directory`
	case is[*store.NotLayoutError](err) && isInBucket(err):
		return "use the prefix of an OCI layout, or a new prefix, ending in /"
	case is[*store.NotLayoutError](err):
		return "use an OCI layout, an empty directory, or the path of a new directory, ending in /"
	case is[*store.MissingPartError](err):
		return "copy that part again, or name it with another --input; all others are used as they are"
	case is[*store.ForeignPartError](err):
		return "name the parts of one bundle only"
	case is[*store.ContradictionError](err):
		return "do not trust these files: back up again, or find out who changed them"
	case errors.Is(err, store.ErrNoParts):
		return "name an archive with --output NAME.tgz, which becomes NAME.001.tgz and so on"
	}
	return partSizeHint(err)
}

// incompleteHint advises on artifacts that a bundle lacks. It does not say why: a policy may have
// refused them.
func incompleteHint(err error) string {
	if e, _ := errors.AsType[*exit.IncompleteError](err); e.Judged {
		return "if the policies refused them, sign them or change the policies; then run the backup again: it fetches only what is missing"
	}
	return "run the backup again: it fetches only what is missing, or says why it cannot"
}

// partSizeHint tells which size of parts suffices.
func partSizeHint(err error) string {
	size, ok := errors.AsType[*parts.SizeError](err)
	switch {
	case !ok:
		return ""
	case size.Least == 0:
		return "raise --part-size"
	}
	return fmt.Sprintf("set --part-size to at least %dKiB, or split the run with fewer sources", (size.Least+1<<10-1)>>10)
}

// spaceHint tells how many bytes to free, if they are known.
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
	return what + ", or use another disk: --output for backup, --temp-dir for restore"
}

// memoryHint advises on a run that exceeds its memory limit.
func (h Hints) memoryHint(err error) string {
	if !h.BufferFlag || !is[*bounds.MemoryError](err) {
		return ""
	}
	return "raise --buffer to allow more memory, or split the run with fewer sources or --only"
}

// dockerHint shows the command that converts a docker-archive to an OCI layout.
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
		more = ", once for each image"
	}
	return fmt.Sprintf(`convert it to an OCI layout with "skopeo copy docker-archive:%s oci:converted%s"%s, then use "--input converted"`, from, name, more)
}

// fullReference completes a short name of docker, such as nginx:1.25.
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
	case is[*store.DockerArchiveError](err):
		return dockerHint(err)
	case errors.As(err, &input) && errors.Is(err, fs.ErrNotExist) && !filetype.Exists(input.Path) && filetype.Exists(parts.Path(input.Path, 1)):
		return "it is in parts: use '" + parts.Pattern(input.Path) + "'"
	case !errors.As(err, &input) || errors.Is(err, fs.ErrNotExist) && !filetype.Exists(input.Path) || errors.Is(err, fs.ErrPermission) || is[*bounds.MemoryError](err) || is[*bucket.Error](err):
		return ""
	case filetype.Exists(input.Path) && filetype.Document(input.Path) == filetype.Lock:
		return input.Path + " is a lock: --input takes the bundle or the OCI layout that a backup wrote"
	case filetype.Exists(input.Path) && filetype.Guess(input.Path) == filetype.Spec:
		if h.OnlyInput {
			return input.Path + " is a mirror spec: pass it to backup or restore with -f; --input takes a bundle or an OCI layout"
		}
		return DidYouMean("-f " + input.Path)
	case is[*bundle.LinkError](err):
		return "unpack it, and pass the directory with --input"
	case is[*store.LateError](err):
		return "save it to a file, and pass the file with --input"
	case errors.Is(err, io.ErrUnexpectedEOF) || is[*bundle.FormatError](err):
		return "the file is damaged or truncated: copy it again"
	}
	return `use a bundle or directory from "oras-mirror backup", or any other OCI layout: a directory or a tar archive`
}

// corruptHint tells how to find and replace the damaged content of an input.
func corruptHint(err error) string {
	switch {
	case !is[*engine.CorruptError](err):
		return ""
	case is[*store.LackingPartsError](err):
		return "" // that of the missing part is enough
	}
	return `list all damage with "oras-mirror verify --input PATH"; then copy the input again, or repair a directory with "oras-mirror backup --verify-existing"`
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
	case is[*engine.UnmatchedError](err):
		return `a mapping matches whole path components from the start of a reference; list the references with "oras-mirror list --input PATH"`
	case errors.As(err, &bare) && strings.HasPrefix(bare.Place, "the layout"):
		return `set "repository: REGISTRY/REPOSITORY" for the layout in the spec`
	case errors.As(err, &bare):
		return "add a repository to the target: REGISTRY/REPOSITORY"
	case errors.As(err, &retag):
		tag := retag.Target[strings.LastIndexByte(retag.Target, ':')+1:]
		return fmt.Sprintf("remove :%s from the target; to restore only that tag, use --only '**:%s'; to rename tags, use mappings in the spec", tag, tag)
	case is[*engine.EntryNameError](err):
		return `rename it with "oras tag --oci-layout LAYOUT@DIGEST TAG"`
	case errors.As(err, &selection):
		return namesHint(selection) + `if that is expected, set "optional: true" for the repository in the spec`
	}
	return ""
}

func onlyHint(pattern string) string {
	const list = `list the references with "oras-mirror list --input PATH"`
	if _, name, found := strings.Cut(pattern, "://"); found {
		return DidYouMean(name)
	}
	if strings.ContainsAny(pattern, "*?[{:") {
		return list
	}
	return fmt.Sprintf("'%s/**' matches everything below %s; %s", strings.TrimRight(pattern, "/"), pattern, list)
}

// namesHint shows some of the names to select from: the last ones, since most registries
// sort their tags.
func namesHint(e *engine.SelectionError) string {
	var names []string
	for _, name := range e.Names {
		if !filter.IsReferrersTag(name) {
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 0 || e.Of == 1: // the error names the only one
		return ""
	case len(names) <= fewNames:
		return fmt.Sprintf("the %s are %s; ", e.Noun, strings.Join(names, ", "))
	}
	return fmt.Sprintf("the last %s of the list are %s; ", e.Noun, strings.Join(names[len(names)-fewNames:], ", "))
}

func lockHint(err error) string {
	switch {
	case is[*exit.NoLockError](err):
		return `create it with "oras-mirror lock -f SPEC"`
	case is[*exit.WaitingError](err):
		return `"oras-mirror lock -f SPEC --check" shows until when they wait; "oras-mirror lock -f SPEC" pins them then`
	case is[*exit.DriftError](err):
		return Relock
	}
	return ""
}

// platformHint advises on an index without all of its platforms.
func platformHint(err error) string {
	var platform *engine.PlatformError
	switch {
	case errors.As(err, &platform):
		return "select from these with --platform, or platforms in the spec: " + strings.Join(platform.Have, ", ")
	case is[*engine.SparseError](err):
		return `set --platform-mode rewrite, or "platformMode: rewrite" for the target in the spec, to push an index of only the platforms in the backup, which invalidates its signatures; or back up all platforms`
	}
	return ""
}

// Relock is the hint for a lock that is out of date.
const Relock = `pin the current digests with "oras-mirror lock -f SPEC"`

func existsHint(err error) string {
	if !is[*engine.ExistsError](err) {
		return ""
	}
	return "set existingTags of the target in the spec to overwrite, skip or fail"
}

func spentHint(err error) string {
	if !errors.Is(err, engine.ErrSpent) {
		return ""
	}
	return "set --temp-dir PATH to keep large blobs from a pipe on disk until they are pushed"
}

// DidYouMean returns a hint with the words that the user may have meant, or "" if there are
// none.
func DidYouMean(words ...string) string {
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, fmt.Sprintf("%q", word))
	}
	if len(quoted) == 0 {
		return ""
	}
	last := len(quoted) - 1
	if last == 0 {
		return "did you mean " + quoted[0] + "?"
	}
	return "did you mean " + strings.Join(quoted[:last], ", ") + " or " + quoted[last] + "?"
}
