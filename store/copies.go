package store

import ocispec "github.com/opencontainers/image-spec/specs-go/v1"

// Copies returns how many copies of a blob with the size of desc a layout may have.
func Copies(l Layout, desc ocispec.Descriptor) int {
	if u, ok := l.(*Union); ok {
		return len(u.sized(desc))
	}
	return 1
}

// OpenCopy opens the n-th copy of a blob. Its bytes are not verified.
func OpenCopy(l Layout, desc ocispec.Descriptor, n int) (Blob, error) {
	u, ok := l.(*Union)
	if !ok {
		return openSized(l, desc)
	}
	all := u.sized(desc)
	if n >= len(all) { // it is in none, or in pieces
		return openSized(l, desc)
	}
	return openSized(all[n].Layout, desc)
}

// sized lists the layouts that have a blob with the size of desc.
func (u *Union) sized(desc ocispec.Descriptor) (all []member) {
	for _, m := range u.inputs {
		if size, err := m.Stat(desc.Digest); err == nil && size == desc.Size {
			all = append(all, m)
		}
	}
	return all
}
