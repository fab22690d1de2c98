package engine

import (
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/store"
)

// AnnotationMissing lists in index.json the artifacts that the last backup could not get
// whole, so that a bundle that is carried elsewhere says so itself.
const AnnotationMissing = store.AnnotationMissing

// Missing lists the artifacts that a layout does not hold whole: those that the last backup
// could not get, and those whose referrers an earlier backup could not all get.
func Missing(index *store.Index) []string {
	var missing []string
	if text := index.Annotations[AnnotationMissing]; text != "" {
		missing = strings.Split(text, ",")
	}
	for _, e := range index.Entries {
		if e.Referrers == store.ReferrersIncomplete && !slices.Contains(missing, e.Name) {
			missing = append(missing, "referrers of "+e.Name)
		}
	}
	return missing
}
