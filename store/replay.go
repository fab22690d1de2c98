package store

import (
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// replay compares the content of NAME.partial, from an interrupted run, with what this run
// writes. While both are equal nothing is written; at the first difference the file is
// truncated, and the run writes from there.
type replay struct {
	file        io.ReaderAt
	compression bundle.Compression
	head        *bundle.Head // before what was found: the beginning of a part; nil for any other archive
	found       *bundle.Recovered
	at          int // the next entry; those before it are the same
}

// recoverPartial reads the content of a locked file.
func recoverPartial(file io.ReaderAt, size int64, c bundle.Compression) (*replay, error) {
	found, err := bundle.Recover(file, size, c)
	if err != nil || len(found.Entries) == 0 {
		return nil, err
	}
	return &replay{file: file, compression: c, found: found}, nil
}

// recoverPart reads what follows the head in a locked file of a part.
func recoverPart(file io.ReaderAt, size int64, c bundle.Compression, head *bundle.Head) (*replay, error) {
	found, err := bundle.RecoverFrom(file, head.Size(), size, c)
	if err != nil {
		return nil, err
	}
	return &replay{file: file, compression: c, head: head, found: found}, nil
}

// next reports whether the file continues with an entry of this name and content.
func (r *replay) next(name string, data []byte) (bool, error) {
	return r.nextEntry(name, ocispec.Descriptor{Digest: digest.FromBytes(data), Size: int64(len(data))})
}

// nextBlob reports whether the file continues with a complete and correct blob. It hashes
// the blob: the earlier run may have been killed before it did.
func (r *replay) nextBlob(desc ocispec.Descriptor) (bool, error) {
	return r.nextEntry(bundle.BlobName(desc.Digest), desc)
}

func (r *replay) nextEntry(name string, desc ocispec.Descriptor) (bool, error) {
	e := r.peek(name, desc.Size)
	if e == nil {
		return false, nil
	}
	content, err := e.Open(r.file, r.compression)
	if err != nil {
		return false, err
	}
	defer content.Close()
	hash := desc.Digest.Algorithm().Hash()
	if _, err := io.Copy(hash, content); err != nil {
		return false, err
	}
	if digest.NewDigest(desc.Digest.Algorithm(), hash) != desc.Digest {
		return false, nil
	}
	r.at++
	return true, nil
}

// content returns the size of the manifests and blobs that were found.
func (r *replay) content() int64 {
	var bytes int64
	for _, e := range r.found.Entries {
		if e.Name != bundle.LayoutFile && e.Name != bundle.IndexFile {
			bytes += e.Size
		}
	}
	if tail := r.found.Tail; tail != nil {
		bytes += min(tail.End-tail.Offset, tail.Size)
	}
	return bytes
}

// tail returns the unfinished blob at the end of the file, if it is the next one.
func (r *replay) tail(desc ocispec.Descriptor) *bundle.RecoveredEntry {
	return r.tailNamed(bundle.BlobName(desc.Digest), desc.Size)
}

func (r *replay) tailNamed(name string, size int64) *bundle.RecoveredEntry {
	if r == nil {
		return nil
	}
	tail := r.found.Tail
	if tail == nil || r.at < len(r.found.Entries) || tail.Name != name || tail.Size != size {
		return nil
	}
	return tail
}

// resume returns a writer that continues after entries.
func (r *replay) resume(w io.Writer, entries []bundle.RecoveredEntry) (*bundle.Writer, error) {
	if r.head != nil {
		return r.head.Resume(w, entries)
	}
	return bundle.Resume(w, r.compression, entries)
}

// peek returns the next entry if it has this name and size; nil if not.
func (r *replay) peek(name string, size int64) *bundle.RecoveredEntry {
	if r == nil || r.at == len(r.found.Entries) {
		return nil
	}
	if e := &r.found.Entries[r.at]; e.Name == name && e.Size == size {
		return e
	}
	return nil
}
