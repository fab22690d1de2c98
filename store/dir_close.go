package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Sweep removes unfinished downloads, for a run that got everything: no later run resumes
// them.
func (d *Dir) Sweep() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.active) > 0 {
		return errors.New("a blob is being ingested")
	}
	return os.RemoveAll(d.aside(""))
}

// Close releases the lock. If nothing was committed and no download can be resumed, the
// directory is left as it was found.
func (d *Dir) Close() error {
	d.commit.Lock()
	defer d.commit.Unlock()
	if d.lock == nil {
		d.removeMade()
		return nil
	}
	os.Remove(d.aside("")) // fails if there are unfinished files
	lock := d.lock
	d.lock = nil
	if d.committed || d.isWorthKeeping() || !d.lockIsNew {
		return lock.Release()
	}
	if !d.layout {
		d.removePushed()
	}
	err := lock.ReleaseAfter(func() error { return os.Remove(filepath.Join(d.path, LockFile)) })
	d.removeMade()
	return err
}

func (d *Dir) isWorthKeeping() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	entries, _ := os.ReadDir(d.aside("")) // what cannot be listed is kept
	return d.downloaded || slices.ContainsFunc(entries, isUnfinishedDownload)
}

// isUnfinishedDownload reports whether a file in ingest/ can be resumed.
func isUnfinishedDownload(entry fs.DirEntry) bool {
	algorithm, encoded, _ := strings.Cut(entry.Name(), "-")
	return digest.Digest(algorithm+":"+encoded).Validate() == nil
}

// removePushed removes the manifests that no index.json references, and the folders that
// are then empty.
func (d *Dir) removePushed() {
	for _, g := range d.pushed {
		path := d.blobPath(g)
		os.Remove(path)
		os.Remove(filepath.Dir(path))
	}
	os.Remove(filepath.Join(d.path, "blobs"))
}

// removeMade removes the folders that OpenDir created, if they are empty.
func (d *Dir) removeMade() { removeFolders(d.madeFolders) }
