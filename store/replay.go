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

// same reports whether the file continues with this entry. If not, it truncates the file,
// and writing starts.
func (a *Archive) same(name string, data []byte) (bool, error) {
	if a.replay == nil {
		return false, nil
	}
	same, err := a.replay.next(name, data)
	if err == nil && !same {
		err = a.part(nil)
	}
	return same, err
}

// sameIndex is same for index.json, which is compared by its digest: it may have 40 MB.
func (a *Archive) sameIndex(size int64, d digest.Digest) (bool, error) {
	if a.replay == nil {
		return false, nil
	}
	same, err := a.replay.nextEntry(bundle.IndexFile, ocispec.Descriptor{Digest: d, Size: size})
	if err == nil && !same {
		err = a.part(nil)
	}
	if same {
		a.index = d
	}
	return same, err
}

// Stored reports whether an interrupted run left a complete blob in the archive. Call it
// for the blobs in their order, before the first Begin, until it returns false.
func (a *Archive) Stored(desc ocispec.Descriptor) (bool, error) {
	if a.replay == nil {
		return false, nil
	}
	stored, err := a.replay.nextBlob(desc)
	if stored {
		a.whole += desc.Size
	}
	return stored, err
}

// Continue starts the entry of the first blob that is not stored, after the part of it
// that an interrupted run left. head returns the content of that part, to be written to an
// Encoder whose first written bytes are dropped. It is nil if there is no such part; then
// the entry is not started. The caller closes head before the first Write.
func (a *Archive) Continue(desc ocispec.Descriptor) (head io.ReadCloser, written int64, err error) {
	if a.replay == nil {
		return nil, 0, nil
	}
	tail, file := a.replay.tail(desc), a.replay.file
	if err := a.part(tail); err != nil || tail == nil {
		return nil, 0, err
	}
	a.worth = true
	a.medium.begin(desc)
	a.size, a.written = desc.Size, tail.End-tail.Offset
	head, err = tail.Open(file, a.compression)
	return head, tail.End - tail.Offset, err
}

// part ends the replay: it truncates the file after the entries that are the same, and
// after the tail if one is given.
func (a *Archive) part(tail *bundle.RecoveredEntry) (err error) {
	r := a.replay
	a.replay = nil
	if a.out, err = r.resume(a.medium, r.found.Entries[:r.at]); err != nil {
		return err
	}
	if tail == nil {
		return a.medium.(*partial).cut(a.out.Offset())
	}
	if err := a.out.Continue(tail.Name, tail.End); err != nil {
		return err
	}
	return a.medium.(*partial).cut(tail.End)
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
