package store

import "github.com/oras-mirror/oras-mirror/store/bundle"

// CreateArchive is Create for an archive in a file, which resumes.
func CreateArchive(path string, c bundle.Compression) (*Archive, error) {
	return openArchive(path, c, true, nil)
}
