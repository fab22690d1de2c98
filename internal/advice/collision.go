package advice

import (
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

// collisionHint shows a mapping that gives two sources different targets.
func collisionHint(e *engine.CollisionError) string {
	m, ok := separating(e)
	switch {
	case !ok:
		return "map one of them to another target with mappings in the spec, or exclude it"
	case m.Source == "":
		return "one tag has two digests: remove one of them, or refer to it by digest only"
	case len(m.Tags) > 0:
		return fmt.Sprintf(`rename one of them: add "{source: %s, target: %s}" first in the tags of the mapping of %s`,
			m.Tags[0].Source, m.Tags[0].Target, m.Source)
	}
	return fmt.Sprintf(`map one of them to another target: add "- {source: %s, target: %s}" first in the mappings of the spec, or restore with --map %s=%s`,
		m.Source, m.Target, m.Source, m.Target)
}

// separating returns a mapping that gives the two sources different targets if it comes
// first: another path for the second repository, or another tag if both are in one
// repository. Its source is empty if both sources have the same tag.
func separating(e *engine.CollisionError) (m config.Mapping, ok bool) {
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
