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

// Sweep removes what interrupted downloads left, for a run that has all that it
// wanted: nobody will go on with them.
func (d *Dir) Sweep() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.active) > 0 {
		return errors.New("a blob is being ingested")
	}
	return os.RemoveAll(d.aside(""))
}

// Close gives the lock back. A directory in which nothing was committed, and
// which no download makes worth keeping, is left as it was found.
func (d *Dir) Close() error {
	d.commit.Lock()
	defer d.commit.Unlock()
	if d.lock == nil {
		d.removeMade()
		return nil
	}
	os.Remove(d.aside("")) // fails where something is unfinished
	lock := d.lock
	d.lock = nil
	if d.committed || d.isWorthKeeping() || !d.lockIsNew {
		return lock.release()
	}
	if !d.layout {
		d.removePushed()
	}
	err := lock.releaseAfter(func() error { return os.Remove(filepath.Join(d.path, LockFile)) })
	d.removeMade()
	return err
}

func (d *Dir) isWorthKeeping() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	entries, _ := os.ReadDir(d.aside("")) // what cannot be listed stays there
	return d.downloaded || slices.ContainsFunc(entries, isUnfinishedDownload)
}

// unfinished says that a file in ingest/ is a download to go on with.
func isUnfinishedDownload(entry fs.DirEntry) bool {
	algorithm, encoded, _ := strings.Cut(entry.Name(), "-")
	return digest.Digest(algorithm+":"+encoded).Validate() == nil
}

// removePushed removes the manifests that no index.json reaches, and the
// folders that are empty then.
func (d *Dir) removePushed() {
	for _, g := range d.pushed {
		path := d.blobPath(g)
		os.Remove(path)
		os.Remove(filepath.Dir(path))
	}
	os.Remove(filepath.Join(d.path, "blobs"))
}

// removeMade removes the folders that OpenDir made, as long as they are empty.
func (d *Dir) removeMade() { removeFolders(d.madeFolders) }

// makeFolders makes path and returns those that were not there, innermost first.
func makeFolders(path string) (made []string, err error) {
	for p := path; !exists(p); p = filepath.Dir(p) {
		made = append(made, p)
	}
	return made, os.MkdirAll(path, 0o755)
}

// removeFolders removes folders as long as they are empty.
func removeFolders(innermostFirst []string) {
	for _, folder := range innermostFirst {
		if os.Remove(folder) != nil {
			return
		}
	}
}

// exists says that something is there, if only a link that leads nowhere, or
// that one may not look.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, os.ErrNotExist)
}
