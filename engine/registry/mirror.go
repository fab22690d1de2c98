package registry

// Mirror is a place that has the content of a registry, such as a pull-through cache.
type Mirror struct {
	Registry string
	Prefix   string // the path that precedes every repository; may be empty
}

// String returns REGISTRY[/PREFIX].
func (m Mirror) String() string {
	if m.Prefix == "" {
		return m.Registry
	}
	return m.Registry + "/" + m.Prefix
}

// path returns the repository in the registry of the mirror.
func (m Mirror) path(repository string) string {
	if m.Prefix == "" {
		return repository
	}
	return m.Prefix + "/" + repository
}
