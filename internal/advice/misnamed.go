package advice

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
)

// The hints in this file are for a name in the wrong place: a file instead of a reference,
// or an archive instead of a spec.

func (h Hints) referenceHint(err error) string {
	var r *config.ReferenceError
	var fault config.Fault
	isFault := errors.As(err, &fault)
	located := isFault && fault.Line > 0 // in a spec or a list
	suggestion := fault.Suggestion
	if errors.As(err, &r) && !located {
		if hint := h.pathHint(r.Reference); hint != "" {
			return hint
		}
		suggestion = cmp.Or(suggestion, r.Suggestion)
	}
	switch {
	case suggestion != "":
		return DidYouMean(suggestion)
	case r != nil && hasCutDigest(r.Reference):
		return `a digest must be whole: "oras resolve REGISTRY/REPOSITORY:TAG" prints it, and so does --format json of list and plan`
	case r != nil && isFault && (fault.Path == "" || strings.HasPrefix(fault.Path, "sources")):
		return manyHint(r.Reference)
	case isFault && r == nil && credentialKey.MatchString(fault.Path):
		return `a spec contains no credentials: log in with "oras login REGISTRY"`
	case isFault && r == nil && fault.Path == "kind" && filetype.Document(fault.File) == filetype.Lock:
		return lockNotSpecHint(fault.File)
	case isFault && r == nil && fault.Path == "apiVersion" && filetype.IsManifest(fault.File):
		return fmt.Sprintf(`it is a Kubernetes manifest: list its images with "oras-mirror images %s", or use "- kubernetes: %s" under "sources:" in a spec`, fault.File, fault.File)
	case isFault && r == nil && fault.Path == "":
		return notSpecHint(fault.File)
	}
	return ""
}

// credentialKey matches the paths of keys by which other tools log in.
var credentialKey = regexp.MustCompile(`^registries\[\d+\]\.(username|user|password|pass|token|auth|credentials?)$`)

// hasCutDigest reports whether a reference ends in the first digits of a digest, as lists show
// them.
func hasCutDigest(reference string) bool {
	_, digest, found := strings.Cut(reference, "@")
	digits := strings.TrimPrefix(digest, "sha256:")
	return found && len(digits) >= 7 && len(digits) < 64 && strings.Trim(digits, "0123456789abcdef") == ""
}

// lockNotSpecHint advises on a lock in place of its spec.
func lockNotSpecHint(path string) string {
	stem, named := strings.CutSuffix(path, ".lock.yaml")
	if !named || !filetype.Exists(stem+".yaml") {
		return "it is a lock: name the spec that it belongs to"
	}
	return "it is the lock of " + stem + ".yaml: name that with -f, and add --locked to copy what the lock pins"
}

// manyHint advises on a source that is a pattern or a whole registry.
func manyHint(reference string) string {
	const wildcards = "*?["
	registry, path, _ := strings.Cut(reference, "/")
	repository, tag, _ := strings.Cut(path, ":")
	switch {
	case path == "" && !strings.ContainsAny(registry, wildcards):
		if target, err := config.ParseTarget(registry); err == nil {
			return fmt.Sprintf(`add a repository, or list the whole registry in a spec: '- {registry: "%s"}'`, target)
		}
	case strings.ContainsAny(repository, wildcards) && tag == "":
		return fmt.Sprintf(`use patterns in a spec: '- {registry: %q, repositories: {include: [%q]}}'`, registry, repository)
	case strings.ContainsAny(tag, wildcards) && !strings.ContainsAny(repository, wildcards):
		return fmt.Sprintf(`use patterns in a spec: '- {repository: %q, tags: {include: [%q]}}'`, registry+"/"+repository, tag)
	}
	return ""
}

// pathHint advises on a path where a reference or a registry is expected.
func (h Hints) pathHint(path string) string {
	info, err := os.Stat(path)
	switch {
	case !filetype.LooksLikePath(path) || err == nil && info.IsDir() && !strings.Contains(path, "/"):
		return "" // a directory with the name of a repository
	case err != nil && h.OutputFlag && filetype.Guess(path) == filetype.Layout:
		return DidYouMean("-o " + path)
	case err != nil:
		return "file not found; use -f for a mirror spec, --input for an archive or a directory"
	}
	switch filetype.Guess(path) {
	case filetype.Spec:
		return DidYouMean("-f " + path)
	case filetype.List:
		return fmt.Sprintf(`to read references from it, use "- <%s" instead; use -f for a mirror spec`, path)
	}
	if h.BaseFlag && IsArchive(path) {
		return RepeatFlag("--base")
	}
	if h.InputFlag {
		return DidYouMean("--input " + path)
	}
	return fmt.Sprintf("%s is an archive or a directory: pass it to restore, list or verify with --input", path)
}

// notSpecHint advises on a file given to -f that is not a spec.
func notSpecHint(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil || !info.IsDir() && (!info.Mode().IsRegular() || filetype.Guess(path) == filetype.Spec):
		return ""
	case filetype.Guess(path) == filetype.Layout:
		return fmt.Sprintf("%s is not a mirror spec; use --input for an archive or a directory", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if all, err := config.ReadList(path, f); err != nil || len(all) == 0 {
		return ""
	}
	return fmt.Sprintf(`it is a list of references: use "- <%s" instead of -f, or "- list: %s" under "sources:" in a spec`, path, path)
}
