package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/store"
)

// AnnotationMissing lists in index.json what the last backup into it could
// not get whole, so that who carries the bundle away learns of it.
const AnnotationMissing = "io.github.oras-mirror.missing"

// mostMissing keeps index.json small where a whole registry was away.
const mostMissing = 100

// markMissing writes into an index what is not whole, or that all is.
func markMissing(index *store.Index, all []*artifact) {
	var missing []string
	for _, a := range all {
		if a.err != nil {
			missing = append(missing, a.name)
		}
	}
	delete(index.Annotations, AnnotationMissing)
	if len(missing) == 0 {
		return
	}
	if index.Annotations == nil {
		index.Annotations = make(map[string]string)
	}
	text := strings.Join(missing[:min(len(missing), mostMissing)], ",")
	if more := len(missing) - mostMissing; more > 0 {
		text += fmt.Sprintf(",and %d more", more)
	}
	index.Annotations[AnnotationMissing] = text
}

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
