package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Commit makes the entries of the index part of the layout. It syncs the blobs written
// since the last Commit and their folders, then replaces index.json atomically. If it
// fails, the old index.json stays. Blobs and entries that are added while it runs belong
// to the next Commit.
func (d *Dir) Commit(ctx context.Context) error {
	d.commit.Lock()
	defer d.commit.Unlock()
	if !disk.InPlace(d.lock.File, filepath.Join(d.path, LockFile)) {
		return &GoneError{Path: d.path}
	}
	// The order matters: an entry is added after its blobs are stored, so the blobs of every
	// entry in the snapshot are synced already or among the unsynced.
	index := d.index.Snapshot()
	fresh := d.takeUnsynced()
	if err := d.syncBlobs(ctx, fresh); err != nil {
		d.returnUnsynced(fresh)
		return err
	}
	if !exists(filepath.Join(d.path, bundle.LayoutFile)) {
		if err := d.replace(bundle.LayoutFile, strings.NewReader(layoutFile)); err != nil {
			return err
		}
	}
	if err := d.replace(bundle.IndexFile, index); err != nil {
		return err
	}
	d.layout, d.committed = true, true
	os.Remove(d.aside("")) // fails if there are unfinished files
	return nil
}

// replace replaces a file atomically, unless it has the same bytes already.
func (d *Dir) replace(name string, content io.WriterTo) error {
	aside, path := d.aside(name), filepath.Join(d.path, name)
	defer os.Remove(aside) // gone after a rename
	if err := d.writeAside(name, content); err != nil {
		return err
	}
	if same, err := sameContent(aside, path); same || err != nil {
		return err
	}
	if err := d.sync(aside); err != nil {
		return err
	}
	if err := os.Rename(aside, path); err != nil {
		return err
	}
	if name == bundle.IndexFile {
		d.writes++
	}
	return d.sync(d.path)
}

func (d *Dir) writeAside(name string, content io.WriterTo) error {
	file, err := d.openAside(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = content.WriteTo(file)
	return errors.Join(err, file.Close())
}

// sameContent compares two files; b may be missing.
func sameContent(a, b string) (bool, error) {
	fa, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer fa.Close()
	fb, err := os.Open(b)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer fb.Close()
	return sameBytes(fa, fb)
}

func sameBytes(a, b io.Reader) (bool, error) {
	var bufA, bufB [32 << 10]byte
	for {
		n, errA := io.ReadFull(a, bufA[:])
		m, errB := io.ReadFull(b, bufB[:])
		if !bytes.Equal(bufA[:n], bufB[:m]) {
			return false, nil
		}
		if errA != nil || errB != nil { // equal up to here, and both end here
			return true, readError(errors.Join(errA, errB))
		}
	}
}

// readError returns err, unless it reports the end of a file.
func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// IndexWrites returns how often index.json was written.
func (d *Dir) IndexWrites() int {
	d.commit.Lock()
	defer d.commit.Unlock()
	return d.writes
}

func (d *Dir) takeUnsynced() []digest.Digest {
	d.mu.Lock()
	defer d.mu.Unlock()
	fresh := d.unsynced
	d.unsynced = nil
	return fresh
}

func (d *Dir) returnUnsynced(fresh []digest.Digest) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unsynced = append(d.unsynced, fresh...)
}
