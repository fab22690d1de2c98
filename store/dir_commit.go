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

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// Commit makes what was put into the index part of the layout. The blobs that
// came since the last Commit are synced, and their folders; then index.json is
// written aside, synced and renamed. If it fails, the index.json that was there
// is there still. Blobs and entries may go on coming while it runs: they are
// for the next one.
func (d *Dir) Commit(ctx context.Context) error {
	d.commit.Lock()
	defer d.commit.Unlock()
	if !inPlace(d.lock.file, filepath.Join(d.path, LockFile)) {
		return &GoneError{Path: d.path}
	}
	// In this order: an entry is put when its blobs are stored, so those of
	// every entry in the snapshot are among the fresh ones, or synced.
	index := d.index.snapshot()
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
	os.Remove(d.aside("")) // fails where something is unfinished
	return nil
}

// replace writes a file aside, syncs it and renames it, unless the one that is
// there has the same bytes.
func (d *Dir) replace(name string, content io.WriterTo) error {
	aside, path := d.aside(name), filepath.Join(d.path, name)
	defer os.Remove(aside) // which is gone if all went well
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

// sameContent compares two files, of which b need not exist.
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
		if errA != nil || errB != nil { // equal so far, so both end here
			return true, readError(errors.Join(errA, errB))
		}
	}
}

// readError is err, unless it only says that the end was reached.
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
