package store

import (
	"errors"
	"io"
	"iter"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// Parts writes a bundle in parts: NAME.001.tgz, NAME.002.tgz, ... Each is a bundle with all
// manifests, index.json and a share of the blobs. They get their names together when all are
// complete. It is not safe for concurrent use, except for its Encoders.
//
// All parts begin with the same bytes, up to index.json. They are made while the backup is
// planned, in the first part, and copied into the others.
type Parts struct {
	path        string // as the user wrote it
	size        int64  // bytes of a part at most
	compression bundle.Compression
	resume      bool
	interrupted func() error

	parts    []*Archive      // begun, in order
	head     *bundle.Head    // nil before index.json is written
	division *parts.Division // nil before Expect
	blob     *partBlob       // that is being written
	closed   bool
	left     bool // a later run can resume it
	written  []WrittenPart
}

// WrittenPart is a file of a bundle in parts.
type WrittenPart struct {
	Path string
	Size int64 // bytes
}

// openParts starts a bundle in parts of at most o.PartSize bytes.
func openParts(path string, c bundle.Compression, o CreateOptions) (*Parts, error) {
	p := &Parts{path: path, size: o.PartSize, compression: c, resume: !o.NoResume, interrupted: o.Interrupted}
	for number := 1; number <= parts.Max; number++ {
		if err := CheckReplaced(parts.Path(path, number)); err != nil {
			return nil, outputError(parts.Path(path, number), err)
		}
	}
	first, err := openArchive(parts.Path(path, 1), c, p.resume, o.Interrupted)
	if err != nil {
		return nil, err
	}
	p.parts = []*Archive{first}
	return p, nil
}

// Path returns the name that the user gave; see parts.Path for those of the parts.
func (p *Parts) Path() string { return p.path }

// PartialPath returns the pattern of the files that are written.
func (p *Parts) PartialPath() string { return parts.Pattern(p.path) + ".partial" }

// Free returns the free space for blobs in bytes: without that for the beginnings of the parts
// to come. ok is false where it is unknown.
func (p *Parts) Free() (bytes int64, ok bool) {
	bytes, ok = p.parts[0].Free()
	if p.division != nil {
		bytes = max(0, bytes-int64(p.division.Parts-len(p.parts))*p.head.Size())
	}
	return bytes, ok
}

// PutManifest writes a manifest, unless the bundle has it.
func (p *Parts) PutManifest(desc ocispec.Descriptor, data []byte) error {
	return p.parts[0].PutManifest(desc, data)
}

// PutIndex writes index.json. The first one ends the beginning of each part. If blobs fail,
// another one replaces it at the end of each.
func (p *Parts) PutIndex(x *oci.Index) error {
	if p.division == nil {
		return p.parts[0].PutIndex(x)
	}
	if err := p.openAll(); err != nil {
		return err
	}
	for _, part := range p.parts {
		if err := part.PutIndex(x); err != nil {
			return p.inPart(part, err)
		}
	}
	return nil
}

// Expect divides the blobs that will be written at most, after PutIndex. If the manifests do
// not fit into a part, the error is a *parts.SizeError.
func (p *Parts) Expect(blobs iter.Seq[ocispec.Descriptor]) (err error) {
	first := p.parts[0]
	if p.head == nil {
		if p.head, err = first.head(); err != nil {
			return err
		}
	}
	if p.division, err = parts.Divide(p.head, first.index, first.length, p.size, blobs); err != nil {
		return err
	}
	if err := p.removePartials(); err != nil {
		return err
	}
	return first.put(bundle.PartFile, p.division.File(0).Bytes())
}

// head returns what is written, or what an interrupted run left of it.
func (a *Archive) head() (*bundle.Head, error) {
	if a.replay == nil {
		return a.out.Head(), nil
	}
	out, err := a.replay.resume(nil, a.replay.found.Entries[:a.replay.at])
	if err != nil {
		return nil, err
	}
	return out.Head(), nil
}

// part returns a part, counted from 0. It begins the parts up to it.
func (p *Parts) part(number int) (*Archive, error) {
	for len(p.parts) <= number {
		if err := p.parts[len(p.parts)-1].medium.(*partial).rest(); err != nil {
			return nil, p.inPart(p.parts[len(p.parts)-1], err)
		}
		next, err := p.begin(len(p.parts))
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, next)
	}
	return p.parts[number], nil
}

// begin begins a part, or resumes what an interrupted run left of it.
func (p *Parts) begin(number int) (*Archive, error) {
	path := parts.Path(p.path, number+1)
	file := &partial{name: path, target: disk.FollowLinks(path)}
	if err := file.create(); err != nil {
		return nil, outputError(path, err)
	}
	part := newArchive(file, p.compression)
	part.begun, part.index, part.length = true, p.parts[0].index, p.parts[0].length
	err := p.copyHead(part, file)
	if err == nil {
		err = part.put(bundle.PartFile, p.division.File(number).Bytes())
	}
	if err != nil {
		return nil, errors.Join(outputError(path, err), file.leave())
	}
	return part, nil
}

// copyHead makes a part begin like the first one. If it does so already, the rest of it is
// replayed.
func (p *Parts) copyHead(part *Archive, file *partial) error {
	info, err := file.file.Stat()
	if err != nil {
		return err
	}
	head := io.NewSectionReader(p.parts[0].medium.(*partial).file, 0, p.head.Size())
	if p.resume && info.Size() > p.head.Size() {
		same, err := beginsWith(interruptibleReaderAt{file.file, p.interrupted}, head)
		if err != nil {
			return err
		}
		if same {
			part.replay, err = recoverPart(interruptibleReaderAt{file.file, p.interrupted}, info.Size(), p.compression, p.head)
			return err
		}
	}
	if err := file.cut(0); err != nil {
		return err
	}
	if _, err := io.Copy(file.writer, head); err != nil {
		return err
	}
	part.out = p.head.NewWriter(file)
	return nil
}

// beginsWith reports whether a file begins with the bytes of head.
func beginsWith(file io.ReaderAt, head *io.SectionReader) (bool, error) {
	a, b := hashBuffers.Get().(*hashBuffer), hashBuffers.Get().(*hashBuffer)
	defer hashBuffers.Put(a)
	defer hashBuffers.Put(b)
	for at := int64(0); at < head.Size(); {
		n := min(int64(len(a)), head.Size()-at)
		if _, err := head.ReadAt(a[:n], at); err != nil && err != io.EOF {
			return false, err
		}
		if _, err := file.ReadAt(b[:n], at); err != nil && err != io.EOF {
			return false, err
		}
		if string(a[:n]) != string(b[:n]) {
			return false, nil
		}
		at += n
	}
	return true, nil
}

// openAll begins the parts that no blob was written to.
func (p *Parts) openAll() error {
	_, err := p.part(p.division.Parts - 1)
	return err
}

// inPart adds the name of a part to an error of its file.
func (p *Parts) inPart(part *Archive, err error) error {
	if err == nil {
		return nil
	}
	return outputError(part.Path(), err)
}

// Partial returns a pattern for the files that a later run can resume after Close; "" if there
// are none.
func (p *Parts) Partial() string {
	if !p.left {
		return ""
	}
	return p.PartialPath()
}

// Kept returns the size in bytes of the manifests and blobs that a later run can resume.
func (p *Parts) Kept() (bytes int64) {
	for _, part := range p.parts {
		bytes += part.Kept()
	}
	return bytes
}
