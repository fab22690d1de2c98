package config

// ParseEntryName returns the artifact that the name of a layout's entry stands for: that
// of a full reference, as [Reference.EntryName] writes it, or that of a bare tag, which
// has neither registry nor repository. ok is false where the name is neither.
func ParseEntryName(name string) (ref Reference, ok bool) {
	if ref, err := ParseReference(name); err == nil && !ref.IsRepository() {
		return ref, true
	}
	if CheckTag(name) != nil {
		return Reference{}, false
	}
	return Reference{Tag: name}, true
}
