package engine

import "github.com/oras-mirror/oras-mirror/store"

// OpenLayout opens the layout of a source by its path, or by a pattern of the parts of a
// bundle.
type OpenLayout func(path string) (store.Layout, error)

// OrDefault returns a function that takes paths alone in place of nil.
func (open OpenLayout) OrDefault() OpenLayout {
	if open != nil {
		return open
	}
	return func(path string) (store.Layout, error) { return store.OpenLayout(path, store.OpenOptions{}) }
}
