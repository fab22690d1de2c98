package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/atomicfile"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// The names in a directory beside those of the OCI layout.
const (
	// LockFile is locked by the process that writes to the layout.
	LockFile = "oras-mirror.lock"
	// ingestFolder holds unfinished files.
	ingestFolder = "ingest"
)

// Dir is a layout directory open for writing by this process alone. It is safe for
// concurrent use.
//
// A blob is written to a temporary file, verified and renamed. index.json changes only in
// Commit, and atomically. However the process ends, the directory is the layout that it
// was before, with more blobs.
type Dir struct {
	folder
	lock        *disk.FileLock
	lockIsNew   bool     // this run created the lock file
	madeFolders []string // folders that this run created, innermost first
	trust       trust
	hashAll     bool         // do not trust what index.json references
	names       atomic.Int64 // numbers the temporary files of Push

	commit    sync.Mutex // held during Commit
	layout    bool       // guarded by commit: the directory is an OCI layout
	committed bool       // guarded by commit: this run committed
	writes    int        // guarded by commit: how often index.json was written

	mu         sync.Mutex
	unsynced   []digest.Digest        // guarded by mu: blobs to be synced
	pushed     []digest.Digest        // guarded by mu: blobs that Push wrote
	active     map[digest.Digest]bool // guarded by mu: digests being ingested
	downloaded bool                   // guarded by mu: this run has downloaded a blob

	sync        func(path string) error // atomicfile.Sync, except in tests
	interrupted func() error            // see CreateOptions
}

var _ Layout = (*Dir)(nil)

// OpenDir opens the layout in path for writing and locks it. It creates missing folders,
// and adds to the OCI layout of any tool. A directory with other content is a
// *NotLayoutError, one that another process writes to a *disk.LockedError, one without write
// permission an *OutputError.
func OpenDir(path string) (*Dir, error) { return newDir(path, false, nil) }

// newDir opens a layout directory. With hashAll, a blob counts only after it is hashed.
// The error of interrupted ends hashing.
func newDir(path string, doubt bool, interrupted func() error) (*Dir, error) {
	d := &Dir{
		interrupted: interrupted,
		hashAll:     doubt,
		folder:      folder{path: filepath.Clean(path), index: new(oci.Index)},
		active:      make(map[digest.Digest]bool),
		sync:        atomicfile.Sync,
	}
	if err := d.open(); err != nil {
		d.Close()
		return nil, outputError(path, err)
	}
	return d, nil
}

func (d *Dir) open() (err error) {
	if d.madeFolders, err = makeFolders(d.path); err != nil {
		return err
	}
	if err := checkNames(d.path); err != nil {
		return err
	}
	lock := filepath.Join(d.path, LockFile)
	d.lockIsNew = !exists(lock)
	if d.lock, err = disk.Lock(lock); err != nil {
		return err
	}
	switch found, err := openFolder(d.path); {
	case err == nil:
		d.index, d.layout = found.index, true
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if !d.hashAll {
		d.trust.roots(d.index)
	}
	if d.lockIsNew {
		return nil // ingest/ was not created by oras-mirror
	}
	return d.removeAsides()
}

// checkNames returns an error for a directory with anything but a layout, or the remains
// of a run that ended before its first Commit.
func checkNames(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	found := make(map[string]bool)
	for _, entry := range entries {
		// Files of the file system or of git do not count.
		if name := entry.Name(); !strings.HasPrefix(name, ".") && name != "lost+found" {
			found[name] = true
		}
	}
	if found[bundle.LayoutFile] || len(found) == 0 {
		return nil
	}
	locked := found[LockFile]
	for _, name := range []string{LockFile, ingestFolder, "blobs"} {
		delete(found, name)
	}
	if !locked || len(found) > 0 {
		return &NotLayoutError{Path: path}
	}
	return nil
}

// removeAsides removes temporary files of a killed run that cannot be resumed.
func (d *Dir) removeAsides() error {
	entries, err := os.ReadDir(d.aside(""))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, entry := range entries {
		if !isUnfinishedDownload(entry) {
			if err := os.Remove(d.aside(entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// Path returns the folder of the layout.
func (d *Dir) Path() string { return d.path }

// Free returns the free space of the file system in bytes; ok is false where it is
// unknown.
func (d *Dir) Free() (bytes int64, ok bool) { return disk.Free(d.path) }

// reached extends trust from a verified manifest to what it references.
func (d *Dir) reached(desc ocispec.Descriptor, data []byte) { d.trust.reached(desc, data) }
