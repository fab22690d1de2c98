package store

import "os"

// OpenOptions configure an input. The zero value works.
type OpenOptions struct {
	// TempDir is the folder for the temporary copy of an archive that cannot be read in
	// place; "" means os.TempDir.
	TempDir string
	// Spooling is called before an archive is copied to a temporary file, with the size of
	// the archive in bytes; -1 if it is unknown. It may be nil.
	Spooling func(size int64)
	// Name is the name of a stream in errors; "" means standard input.
	Name    string
	Buckets Buckets
}

func tempDir(o OpenOptions) string {
	if o.TempDir == "" {
		return os.TempDir()
	}
	return o.TempDir
}
