package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// AnnotationMissing lists in index.json the artifacts that the last backup could not get
// whole, so that a bundle that is carried elsewhere says so itself.
const AnnotationMissing = oci.AnnotationMissing

// Missing lists the artifacts that a layout does not hold whole: those that the last backup
// could not get, and those whose referrers an earlier backup could not all get.
func Missing(index *oci.Index) []string {
	var missing []string
	if text := index.Annotations[AnnotationMissing]; text != "" {
		missing = strings.Split(text, ",")
	}
	for _, e := range index.Entries {
		if e.Referrers == oci.ReferrersIncomplete && !slices.Contains(missing, e.Name) {
			missing = append(missing, "referrers of "+e.Name)
		}
	}
	return missing
}

// mostMissing keeps index.json small if a whole registry is unavailable.
const mostMissing = 100

// ShortMissing cuts a list of artifacts that are missing short, and counts the others; where
// names the part of a plan that they are from.
func ShortMissing(missing []string, where string) []string {
	if more := len(missing) - mostMissing; more > 0 {
		return append(missing[:mostMissing:mostMissing], fmt.Sprintf("and %d more", more)+where)
	}
	return missing
}

// MarkMissing adds artifacts to those that an index says it lacks.
func MarkMissing(index *oci.Index, missing []string) {
	if text := index.Annotations[AnnotationMissing]; text != "" {
		missing = append(missing, strings.Split(text, ",")...)
	}
	if len(missing) == 0 {
		return
	}
	if index.Annotations == nil {
		index.Annotations = make(map[string]string)
	}
	index.Annotations[AnnotationMissing] = strings.Join(ShortMissing(missing, ""), ",")
}
