package backup

import (
	"slices"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// markMissing records in an index the artifacts that are not whole, or that all are. It keeps
// the artifacts that runs of other shards could not get.
func markMissing(index *oci.Index, all []*plan.Artifact, part *shard.Shard) {
	var missing []string
	for _, a := range all {
		if a.Err != nil {
			missing = append(missing, a.Name)
		}
	}
	missing = append(engine.ShortMissing(missing, ofShard(part)), missingElsewhere(index, part)...)
	delete(index.Annotations, engine.AnnotationMissing)
	if len(missing) == 0 {
		return
	}
	if index.Annotations == nil {
		index.Annotations = make(map[string]string)
	}
	index.Annotations[engine.AnnotationMissing] = strings.Join(missing, ",")
}

// missingElsewhere lists the artifacts in an index that runs of other shards could not get.
func missingElsewhere(index *oci.Index, part *shard.Shard) []string {
	text := index.Annotations[engine.AnnotationMissing]
	if part == nil || text == "" {
		return nil
	}
	return slices.DeleteFunc(strings.Split(text, ","), func(name string) bool {
		ref, err := config.ParseReference(name)
		if err == nil {
			return part.HasSource(ref)
		}
		return !isOfOther(name, part)
	})
}

// ofShard names the shard that counted more missing artifacts than it names.
func ofShard(part *shard.Shard) string {
	if part == nil {
		return ""
	}
	return " of shard " + part.String()
}

// isOfOther reports whether a text is the count of another shard of the same fleet.
func isOfOther(text string, part *shard.Shard) bool {
	_, name, found := strings.Cut(text, " of shard ")
	index, count, _ := strings.Cut(name, "/")
	return found && count == strconv.Itoa(part.Count) && index != strconv.Itoa(part.Index)
}
