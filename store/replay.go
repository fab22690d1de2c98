package store

import (
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// replay is what an interrupted run left in NAME.partial, held against what
// this run writes. As long as both are the same nothing is written; where they
// part the file is cut, and the run writes on from there.
type replay struct {
	file        io.ReaderAt
	compression bundle.Compression
	found       *bundle.Recovered
	at          int // entries that were met again
}

// recoverPartial looks at what is in a locked file.
func recoverPartial(file io.ReaderAt, size int64, c bundle.Compression) (*replay, error) {
	found, err := bundle.Recover(file, size, c)
	if err != nil || len(found.Entries) == 0 {
		return nil, err
	}
	return &replay{file: file, compression: c, found: found}, nil
}

// next says whether the file goes on with an entry of this name and content.
func (r *replay) next(name string, data []byte) (bool, error) {
	return r.nextEntry(name, ocispec.Descriptor{Digest: digest.FromBytes(data), Size: int64(len(data))})
}

// nextBlob says whether the file goes on with a blob, whole and right. It is
// hashed: a run may have been killed between its last byte and the check.
func (r *replay) nextBlob(desc ocispec.Descriptor) (bool, error) {
	return r.nextEntry(bundle.BlobName(desc.Digest), desc)
}

func (r *replay) nextEntry(name string, desc ocispec.Descriptor) (bool, error) {
	if r.at == len(r.found.Entries) {
		return false, nil
	}
	e := r.found.Entries[r.at]
	if e.Name != name || e.Size != desc.Size {
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

// content returns how many bytes of manifests and blobs were found.
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

// tail returns the part of a blob that was being written, if that is what comes next.
func (r *replay) tail(desc ocispec.Descriptor) *bundle.RecoveredEntry {
	tail := r.found.Tail
	if tail == nil || r.at < len(r.found.Entries) || tail.Name != bundle.BlobName(desc.Digest) || tail.Size != desc.Size {
		return nil
	}
	return tail
}

// same says whether what is put next is in the file already. If it is not, the
// file is cut and writing begins.
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

// sameIndex does it for index.json, which is compared by its digest: it may be
// 40 MB long.
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

// Stored says whether a blob is in the archive already, left there by a run
// that was interrupted. Blobs are asked for in their order, before the first
// Begin, until one is not stored.
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

// Continue begins the entry of the first blob that is not stored behind what an
// interrupted run left of it. head gives the content that is there, to be put
// through an Encoder whose first written bytes are dropped; it is nil if
// nothing is there and the entry is not begun. The caller closes head, before
// the first Write.
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

// part ends the replay: what is in the file beyond what was met again, and the
// tail if it is given, is cut off.
func (a *Archive) part(tail *bundle.RecoveredEntry) (err error) {
	met := a.replay.found.Entries[:a.replay.at]
	a.replay = nil
	end := int64(0)
	if len(met) > 0 {
		end = met[len(met)-1].End
	}
	if a.out, err = bundle.Resume(a.medium, a.compression, met); err != nil {
		return err
	}
	if tail != nil {
		end = tail.End
		if err := a.out.Continue(tail.Name, end); err != nil {
			return err
		}
	}
	return a.medium.(*partial).cut(end)
}
