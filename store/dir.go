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
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// The names that a directory has beside those of the OCI layout.
const (
	// LockFile is locked by the process that writes to the layout.
	LockFile = "oras-mirror.lock"
	// ingestFolder holds what is not whole yet.
	ingestFolder = "ingest"
)

// Dir is a layout directory open for writing, by this process alone. It is safe
// for concurrent use.
//
// A blob is written aside, verified and renamed; index.json changes when Commit
// is called, and then all at once. So whatever ends the process, the directory
// is the layout that it was, with more blobs.
type Dir struct {
	folder
	lock        *fileLock
	lockIsNew   bool     // the lock file was not there
	madeFolders []string // the folders that were not there, innermost first
	trust       trust
	hashAll     bool         // index.json vouches for nothing
	names       atomic.Int64 // tells apart the files that Push writes aside

	commit    sync.Mutex // held during Commit
	layout    bool       // guarded by commit: the directory is an OCI layout
	committed bool       // guarded by commit: by this run
	writes    int        // guarded by commit: how often index.json was written

	mu         sync.Mutex
	unsynced   []digest.Digest        // guarded by mu: blobs to be synced
	pushed     []digest.Digest        // guarded by mu: blobs that Push wrote
	active     map[digest.Digest]bool // guarded by mu: digests being ingested
	downloaded bool                   // guarded by mu: this run has downloaded a blob

	sync        func(path string) error // atomicfile.Sync, but for tests
	interrupted func() error            // see CreateOptions
}

var _ Layout = (*Dir)(nil)

// OpenDir opens the layout in path for writing and locks it. What does not
// exist is made, and the OCI layout of any tool is added to. A directory with
// something else in it is a *NotLayoutError, one that another process writes to
// a *LockedError, one that cannot be written to an *OutputError.
func OpenDir(path string) (*Dir, error) { return newDir(path, false, nil) }

// newDir is OpenDir, but with doubt no blob counts before it is hashed, and
// interrupted ends hashing.
func newDir(path string, doubt bool, interrupted func() error) (*Dir, error) {
	d := &Dir{
		interrupted: interrupted,
		hashAll:     doubt,
		folder:      folder{path: filepath.Clean(path), index: new(Index)},
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
	if d.lock, err = lockFile(lock); err != nil {
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
		return nil // an ingest/ that is there is not of ours
	}
	return d.removeAsides()
}

// checkNames refuses a directory that holds something else than a layout, or
// than what a run of ours leaves that ends before its first Commit.
func checkNames(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	found := make(map[string]bool)
	for _, entry := range entries {
		// What a file system or git puts into a directory leaves it empty.
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

// removeAsides removes what a killed run left that cannot be gone on with.
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

// Path returns where the layout is.
func (d *Dir) Path() string { return d.path }

// Free returns how many bytes the file system has left, where it can tell.
func (d *Dir) Free() (bytes int64, ok bool) { return freeSpace(d.path) }

// reached passes trust on from a manifest to what it points at.
func (d *Dir) reached(desc ocispec.Descriptor, data []byte) { d.trust.reached(desc, data) }
