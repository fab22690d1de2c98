package config

// ParseEntryName parses the name of an entry of a layout: a full reference, as
// [Reference.EntryName] returns it, or a bare tag, for which ref has neither registry nor
// repository. ok is false if the name is neither.
func ParseEntryName(name string) (ref Reference, ok bool) {
	if ref, err := ParseReference(name); err == nil && !ref.IsRepository() {
		return ref, true
	}
	if CheckTag(name) != nil {
		return Reference{}, false
	}
	return Reference{Tag: name}, true
}
