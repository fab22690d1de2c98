package statement

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/text"
)

// DifferenceError reports something in which a layout differs from a statement.
type DifferenceError struct {
	Statement string        // the file
	Name      string        // of a file, of an artifact, or index.json
	Stated    digest.Digest // "" if it is extra
	Found     digest.Digest // "" if it is missing
	IsLock    bool          // it is the lock beside the spec, and not in the layout
}

func (e *DifferenceError) Error() string {
	switch {
	case e.Found == "":
		return fmt.Sprintf("%s: missing: %s states %s", e.Name, e.Statement, e.Stated)
	case e.Stated == "":
		return fmt.Sprintf("%s: extra: %s does not state %s", e.Name, e.Statement, e.Found)
	}
	return fmt.Sprintf("%s: changed: %s states %s, found %s", e.Name, e.Statement, e.Stated, e.Found)
}

// Compare returns how a layout differs from the content that a statement states, in the order of
// the statement. Files are compared only if both consist of files: a layout that was unpacked has
// none. A file may have another name. Locks are compared if both are known.
func Compare(path string, stated, found *Content) []error {
	var all []error
	differ := func(name string, stated, found digest.Digest) {
		if stated != found {
			all = append(all, &DifferenceError{Statement: path, Name: name, Stated: stated, Found: found})
		}
	}
	if len(stated.Files) > 0 && len(found.Files) > 0 {
		compareFiles(stated.Files, found.Files, differ)
	}
	differ(indexName, stated.Index, found.Index)
	if stated.Lock != nil && found.Lock != nil && stated.Lock.Digest != found.Lock.Digest {
		all = append(all, &DifferenceError{Statement: path, Name: found.Lock.Name, Stated: stated.Lock.Digest, Found: found.Lock.Digest, IsLock: true})
	}
	merge(stated.Artifacts, found.Artifacts, func(a Artifact) (string, digest.Digest) { return a.Reference, a.Digest }, differ)
	merge(stated.Referrers, found.Referrers, func(r Referrer) (string, digest.Digest) { return string(r.Digest), r.Digest }, differ)
	return all
}

// SignersError reports an artifact that others signed than a statement states.
type SignersError struct {
	Statement     string // the file
	Reference     string
	Stated, Found []string // nil: none
}

func (e *SignersError) Error() string {
	return fmt.Sprintf("%s: %s states that it is signed by %s, found %s", e.Reference, e.Statement, signers(e.Stated), signers(e.Found))
}

func signers(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return text.Printable(strings.Join(all, ", "))
}

// CompareSigners returns the artifacts whose signers differ from those that a statement states,
// in order. Those that only one of both has are left out, and all if it states no signers.
func CompareSigners(path string, stated, found *Content) []*SignersError {
	if !stated.HasSigners() {
		return nil
	}
	var all []*SignersError
	for _, f := range found.Artifacts {
		s := stated.artifact(f.Reference)
		if s != nil && s.Digest == f.Digest && !slices.Equal(s.SignedBy, f.SignedBy) {
			all = append(all, &SignersError{Statement: path, Reference: f.Reference, Stated: s.SignedBy, Found: f.SignedBy})
		}
	}
	return all
}

// compareFiles pairs files by their digests, then the rest by their names.
func compareFiles(stated, found []File, differ func(name string, stated, found digest.Digest)) {
	has := func(all []File, d digest.Digest) bool {
		return slices.ContainsFunc(all, func(f File) bool { return f.Digest == d })
	}
	var lost, extra []File
	for _, f := range stated {
		if !has(found, f.Digest) {
			lost = append(lost, f)
		}
	}
	for _, f := range found {
		if !has(stated, f.Digest) {
			extra = append(extra, f)
		}
	}
	merge(lost, extra, func(f File) (string, digest.Digest) { return f.Name, f.Digest }, differ)
}

// merge calls differ for each name of two lists, with its digests in both.
func merge[T any](stated, found []T, key func(T) (string, digest.Digest), differ func(name string, stated, found digest.Digest)) {
	order := func(a, b T) int {
		nameA, digestA := key(a)
		nameB, digestB := key(b)
		return cmp.Or(cmp.Compare(nameA, nameB), cmp.Compare(digestA, digestB))
	}
	slices.SortFunc(stated, order)
	slices.SortFunc(found, order)
	for len(stated) > 0 || len(found) > 0 {
		var a, b string
		var has, sees digest.Digest
		if len(stated) > 0 {
			a, has = key(stated[0])
		}
		if len(found) > 0 {
			b, sees = key(found[0])
		}
		switch {
		case len(found) == 0 || len(stated) > 0 && a < b:
			differ(a, has, "")
			stated = stated[1:]
		case len(stated) == 0 || b < a:
			differ(b, "", sees)
			found = found[1:]
		default:
			differ(a, has, sees)
			stated, found = stated[1:], found[1:]
		}
	}
}
