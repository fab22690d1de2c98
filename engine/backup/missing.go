package backup

import (
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/store"
)

// mostMissing keeps index.json small if a whole registry is unavailable.
const mostMissing = 100

// markMissing records in an index the artifacts that are not whole, or that all are.
func markMissing(index *store.Index, all []*plan.Artifact) {
	var missing []string
	for _, a := range all {
		if a.Err != nil {
			missing = append(missing, a.Name)
		}
	}
	delete(index.Annotations, engine.AnnotationMissing)
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
	index.Annotations[engine.AnnotationMissing] = text
}
