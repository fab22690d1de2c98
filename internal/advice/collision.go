package advice

import (
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

// collisionHint shows a mapping that parts two sources.
func collisionHint(e *engine.CollisionError) string {
	m, ok := parting(e)
	switch {
	case !ok:
		return "send one of them elsewhere with mappings in the spec, or leave it out"
	case m.Source == "":
		return "one tag has two digests there: leave one of them out, or name it by its digest alone"
	case len(m.Tags) > 0:
		return fmt.Sprintf(`rename one of them: write "{source: %s, target: %s}" first in the tags of the mapping of %s`,
			m.Tags[0].Source, m.Tags[0].Target, m.Source)
	}
	return fmt.Sprintf(`send one of them elsewhere: write "- {source: %s, target: %s}" first in the mappings of the spec, or restore with --map %s=%s`,
		m.Source, m.Target, m.Source, m.Target)
}

// parting returns a mapping that comes first and parts the two: another path for
// the second repository, or another tag in the one that both have. Its source is
// empty where both are the same tag.
func parting(e *engine.CollisionError) (m config.Mapping, ok bool) {
	first, err := config.ParseReference(e.Sources[0])
	second, err2 := config.ParseReference(e.Sources[1])
	switch {
	case err != nil || err2 != nil || second.IsRepository():
		return m, false
	case first.EntryName() == second.EntryName():
		return m, true
	case first.Name() == second.Name():
		kept := second.Tag
		if strings.HasSuffix(e.Target, ":"+kept) {
			kept = first.Tag
		}
		return config.Mapping{Source: second.Name(), Tags: []config.TagMapping{{Source: kept, Target: kept}}}, kept != ""
	}
	m = config.Mapping{Source: second.Name(), Target: strings.ReplaceAll(second.Registry, ":", "-") + "/" + second.Repository}
	m.Target = strings.ToLower(m.Target)
	if strings.Contains(e.Target, m.Target+":") {
		m.Target += "-2"
	}
	return m, config.CheckRepository(m.Target) == nil
}
