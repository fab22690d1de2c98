package store

// member is one layout of a union.
type member struct {
	Layout
	path     string // as the user wrote it
	replaced bool   // a delta names it as its base
}

// Member is a layout with the path that the user wrote.
type Member struct {
	Path   string
	Layout Layout
}
