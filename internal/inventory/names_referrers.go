package inventory

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/text"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// NamesWithContent is Names for a comparison of two layouts: a name with other platforms or with
// other referrers, such as a signature that was added, differs.
func NamesWithContent(l store.Layout) []Name {
	entries := l.Index().Entries
	by := make(map[digest.Digest][]oci.Entry) // referrers by their subject
	for _, e := range entries {
		if subject := subjectOf(l, e); subject != "" {
			by[subject] = append(by[subject], e)
		}
	}
	all := Names(l)
	named := make(map[string]oci.Entry)
	for _, e := range entries {
		named[e.Name] = e
	}
	for i, n := range all {
		e := named[n.Reference]
		all[i].With = strings.TrimSpace(e.Platforms + " " + referrersIn(l, e, by))
	}
	return all
}

// subjectOf returns the manifest that an entry refers to, also by a tag of cosign; "" for others.
func subjectOf(l store.Layout, e oci.Entry) digest.Digest {
	if subject, is := e.AttachedTo(); is {
		return subject
	}
	if e.Name != "" || e.Subject != "" {
		return e.Subject.Digest()
	}
	m := manifestOf(l, e)
	if m == nil || m.Subject == nil {
		return ""
	}
	return m.Subject.Digest
}

func manifestOf(l store.Layout, e oci.Entry) *oci.Manifest {
	data, err := store.ReadManifest(l, e.Descriptor())
	if err != nil {
		return nil
	}
	m, err := oci.ParseManifest(e.Descriptor(), data)
	if err != nil {
		return nil
	}
	return m
}

// referrersIn lists what refers to an artifact, to its children, and to those referrers.
func referrersIn(l store.Layout, e oci.Entry, by map[digest.Digest][]oci.Entry) string {
	if len(by) == 0 {
		return ""
	}
	reached := []digest.Digest{e.Digest}
	if oci.IsIndex(e.MediaType) {
		if m := manifestOf(l, e); m != nil {
			for _, child := range m.Manifests {
				reached = append(reached, child.Digest)
			}
		}
	}
	ref, _ := config.ParseEntryName(e.Name)
	var found []digest.Digest
	for len(reached) > 0 {
		subject := reached[0]
		reached = reached[1:]
		for _, r := range by[subject] {
			if isOf(r, ref.Name()) && !slices.Contains(found, r.Digest) {
				found, reached = append(found, r.Digest), append(reached, r.Digest)
			}
		}
	}
	slices.Sort(found)
	return strings.Join(text.Strings(found), " ")
}

// isOf reports whether a referrer belongs to a repository.
func isOf(e oci.Entry, repository string) bool {
	if e.Name != "" {
		return repositoryOf(e) == repository
	}
	return len(e.Repositories) == 0 || slices.Contains(e.Repositories, repository)
}
