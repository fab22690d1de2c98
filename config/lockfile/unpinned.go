package lockfile

import "github.com/oras-mirror/oras-mirror/config"

// Unpinned lists the selections of a spec that the lock has nothing of, such as those that were
// added after it was written. Optional ones, layouts and whole registries are never among them.
func (l *Lock) Unpinned(all []config.Selection) []config.Selection {
	pinned := make(map[string]bool)
	for _, s := range all {
		pinned[wanted(s)] = false
	}
	pin := func(r config.Reference) {
		for _, name := range []string{r.Name(), r.EntryName()} {
			if _, asked := pinned[name]; asked {
				pinned[name] = true
			}
		}
	}
	for _, a := range l.Artifacts {
		pin(a.Reference)
	}
	for _, p := range l.Pending {
		pin(p.Reference)
	}
	var missing []config.Selection
	for _, s := range all {
		if !pinned[wanted(s)] && !s.Optional && s.Layout == "" && s.Registry == "" {
			missing = append(missing, s)
		}
	}
	return missing
}

// wanted returns the name in the lock by which a selection is found: that of its artifact, or of
// its repository if the tags or the version are chosen when it is locked.
func wanted(s config.Selection) string {
	if s.Chart != nil || s.Reference.IsRepository() {
		return s.Reference.Name()
	}
	return s.Reference.EntryName()
}
