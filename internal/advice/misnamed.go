package advice

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
)

// The hints in this file are about names that stand for something else than where
// they were written: a file in the place of a reference, an archive in that of a spec.

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
	case r != nil && isFault && (fault.Path == "" || strings.HasPrefix(fault.Path, "sources")):
		return manyHint(r.Reference)
	case isFault && r == nil && fault.Path == "":
		return notSpecHint(fault.File)
	}
	return ""
}

// manyHint is for a source that is a pattern or a whole registry.
func manyHint(reference string) string {
	const wildcards = "*?["
	registry, path, deeper := strings.Cut(reference, "/")
	repository, tag, _ := strings.Cut(path, ":")
	switch {
	case !deeper && !strings.ContainsAny(registry, wildcards):
		if target, err := config.ParseTarget(registry); err == nil {
			return fmt.Sprintf(`name a repository in it, or write the whole registry into a spec: '- {registry: "%s"}'`, target)
		}
	case strings.ContainsAny(repository, wildcards) && tag == "":
		return fmt.Sprintf(`write patterns into a spec: '- {registry: %q, repositories: {include: [%q]}}'`, registry, repository)
	case strings.ContainsAny(tag, wildcards) && !strings.ContainsAny(repository, wildcards):
		return fmt.Sprintf(`write patterns into a spec: '- {repository: %q, tags: {include: [%q]}}'`, registry+"/"+repository, tag)
	}
	return ""
}

// pathHint is for a path where a reference or a registry belongs.
func (h Hints) pathHint(path string) string {
	info, err := os.Stat(path)
	switch {
	case !filetype.LooksLikePath(path) || err == nil && info.IsDir() && !strings.Contains(path, "/"):
		return "" // a folder that is called like a repository
	case err != nil:
		return "there is no such file; -f names a mirror spec, --input an archive or a directory"
	}
	switch filetype.Guess(path) {
	case filetype.Spec:
		return DidYouMean("-f " + path)
	case filetype.List:
		return fmt.Sprintf(`to read references from it, write "- <%s" instead; a mirror spec is named by -f`, path)
	}
	if h.InputFlag {
		return DidYouMean("--input " + path)
	}
	return fmt.Sprintf("%s is an archive or a directory: restore, list and verify read it with --input", path)
}

// notSpecHint is for a file that -f names and that is no spec.
func notSpecHint(path string) string {
	info, err := os.Stat(path)
	switch {
	case err != nil || !info.IsDir() && (!info.Mode().IsRegular() || filetype.Guess(path) == filetype.Spec):
		return ""
	case filetype.Guess(path) == filetype.Layout:
		return fmt.Sprintf("%s is not a mirror spec; an archive or a directory is named with --input", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	if all, err := config.ReadList(path, f); err != nil || len(all) == 0 {
		return ""
	}
	return fmt.Sprintf(`it is a list of references: write "- <%s" instead, or "- list: %s" under "sources:" in a spec`, path, path)
}
