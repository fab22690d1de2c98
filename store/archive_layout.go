package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// archiveLayout is a layout in an archive with random access.
type archiveLayout struct {
	reader *bundle.Reader
	index  *oci.Index
	file   archiveFile

	part        *parts.File   // of a bundle in parts; nil for another one
	indexDigest digest.Digest // of the index.json of a part

	mu     sync.Mutex            // guards chosen
	chosen map[digest.Digest]int // the copy to use of each blob that has several
}

// archiveFile is the file that an archive is read from.
type archiveFile interface {
	io.Closer
	Stat() (fs.FileInfo, error)
}

// openArchiveLayout checks the oci-layout and reads the index.json of an archive. Closing the
// layout closes file.
func openArchiveLayout(r *bundle.Reader, file archiveFile) (*archiveLayout, error) {
	layout, err := r.Open(bundle.LayoutFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noLayout(r)
	}
	if err != nil {
		return nil, err
	}
	defer layout.Close()
	if err := checkLayoutFile(layout); err != nil {
		return nil, err
	}
	return readArchiveLayout(r, file)
}

// readArchiveLayout reads the index.json of an archive.
func readArchiveLayout(r *bundle.Reader, file archiveFile) (*archiveLayout, error) {
	entry, err := r.Open(bundle.IndexFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNoIndex
	}
	if err != nil {
		return nil, err
	}
	defer entry.Close()
	index, err := oci.ReadIndex(entry)
	if err != nil {
		return nil, err
	}
	l := &archiveLayout{reader: r, index: index, file: file}
	if err := l.readPart(); err != nil {
		index.Release()
		return nil, err
	}
	return l, nil
}

// readPart reads what a part of a bundle has in addition.
func (p *archiveLayout) readPart() (err error) {
	if p.part, err = parts.FileOf(p.reader); err != nil || p.part == nil {
		return err
	}
	entry, err := p.reader.Open(bundle.IndexFile)
	if err != nil {
		return err
	}
	defer entry.Close()
	p.indexDigest, err = digest.Canonical.FromReader(entry)
	return err
}

func (p *archiveLayout) Index() *oci.Index { return p.index }

// ForgetIndex empties the index to free its memory: a run that has planned needs only the
// blobs.
func (p *archiveLayout) ForgetIndex() {
	p.index.Release()
	p.index = new(oci.Index)
}

func (p *archiveLayout) Open(d digest.Digest) (Blob, error) {
	if err := d.Validate(); err != nil { // BlobName panics without a colon
		return nil, fmt.Errorf("%.200q: %w", d, err)
	}
	entry, err := p.reader.OpenOlder(bundle.BlobName(d), p.choose(d))
	if err != nil {
		return nil, err
	}
	return entry, nil
}

// choose returns which copy of a blob is used: the last one with the right digest. The
// writer of a pipe cannot take back a bad copy and sends it again. A blob with a single
// copy, as nearly all have, is not hashed for this.
func (p *archiveLayout) choose(d digest.Digest) int {
	name := bundle.BlobName(d)
	copies := p.reader.Copies(name)
	if copies < 2 {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, known := p.chosen[d]; known {
		return at
	}
	at := 0
	for n := range copies {
		err := p.hashCopy(d, name, n)
		if IsPassing(err) {
			return at // which is found wrong, or cannot be read either
		}
		if err == nil {
			at = n
			break
		}
	}
	if p.chosen == nil {
		p.chosen = make(map[digest.Digest]int)
	}
	p.chosen[d] = at
	return at
}

// hashCopy hashes one copy of a blob.
func (p *archiveLayout) hashCopy(d digest.Digest, name string, n int) error {
	entry, err := p.reader.OpenOlder(name, n)
	if err != nil {
		return err
	}
	defer entry.Close()
	return hashReader(entry, ocispec.Descriptor{Digest: d, Size: entry.Size()}, nil)
}

func (p *archiveLayout) Stat(d digest.Digest) (int64, error) {
	if err := d.Validate(); err != nil {
		return 0, fmt.Errorf("%.200q: %w", d, err)
	}
	return p.reader.StatOlder(bundle.BlobName(d), p.choose(d))
}

func (p *archiveLayout) blobs() iter.Seq[digest.Digest] {
	return func(yield func(digest.Digest) bool) {
		for name := range p.reader.Entries() {
			if d, ok := blobDigest(name); ok && !yield(d) {
				return
			}
		}
	}
}

func (p *archiveLayout) Close() error { return p.file.Close() }

// OpenRandom opens a blob.
func (p *archiveLayout) OpenRandom(d digest.Digest) (RandomBlob, error) {
	return p.openRandom(d, p.reader.OpenRandom)
}

// OpenWhole opens a blob that is read from its start.
func (p *archiveLayout) OpenWhole(d digest.Digest) (RandomBlob, error) {
	return p.openRandom(d, p.reader.OpenWhole)
}

func (p *archiveLayout) openRandom(d digest.Digest, open func(name string, skip int) (*bundle.Random, error)) (RandomBlob, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("%.200q: %w", d, err)
	}
	entry, err := open(bundle.BlobName(d), p.choose(d))
	if err != nil {
		return nil, err
	}
	return randomEntry{entry, p.file}, nil
}

// randomEntry is a blob in an archive, which stays open.
type randomEntry struct {
	*bundle.Random
	file archiveFile
}

func (e randomEntry) Stamp() (Stamp, error) { return stampOf(e.file) }
