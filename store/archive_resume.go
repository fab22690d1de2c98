package store

import (
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

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
		return a.medium.(resumable).cut(a.out.Offset())
	}
	if err := a.out.Continue(tail.Name, tail.End); err != nil {
		return err
	}
	return a.medium.(resumable).cut(tail.End)
}

// Partial returns the path of what a later run can resume after Close; "" if there is
// nothing.
func (a *Archive) Partial() string {
	m, ok := a.medium.(resumable)
	if !ok || !a.left {
		return ""
	}
	return m.unfinished()
}

// Kept returns the size in bytes of the manifests and blobs in the file that Partial
// names. Of an unfinished blob it counts the bytes of its entry, which may be compressed.
func (a *Archive) Kept() int64 {
	if a.replay != nil {
		return a.replay.content()
	}
	return a.whole + min(a.written, a.size)
}
