package engine

import (
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/store"
)

// AnnotationMissing lists in index.json what the last backup into it could
// not get whole, so that who carries the bundle away learns of it.
const AnnotationMissing = "io.github.oras-mirror.missing"

// Missing lists what a layout lacks of what was backed up into it: artifacts that the
// last backup could not get whole, and those whose referrers an earlier one could not all
// get.
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
