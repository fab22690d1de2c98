package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
)

// tarFile reads the headers of a tar from any writer.
type tarFile struct {
	tar     *tar.Reader
	source  io.Reader
	at      int64 // the offset in the source
	end     int64 // of the last entry that was read, with its padding
	zeros   int   // zero bytes read directly after end, up to a block
	headers int
	link    string // the target of the last entry that was read; "" for a file
	err     error  // of the source
}

// newTarFile returns a tarFile that skips content by seeking if the source can.
func newTarFile(source io.Reader) *tarFile {
	f := &tarFile{source: source}
	if _, ok := source.(io.Seeker); ok {
		f.tar = tar.NewReader(seekingTarFile{f})
	} else {
		f.tar = tar.NewReader(f)
	}
	return f
}

// next returns the next file, or a link with the name of a file of a layout; io.EOF at the
// end. It skips what no layout has: folders, links and devices of other names, names that
// are too long.
func (f *tarFile) next() (name string, size int64, err error) {
	for {
		f.link = ""
		h, err := f.tar.Next()
		if err == io.EOF {
			return "", 0, f.ended()
		}
		if err != nil {
			return "", 0, f.fault(err)
		}
		if err := tooMany(f.headers, f.at); err != nil {
			return "", 0, err
		}
		f.headers++
		f.end, f.zeros = f.at+padding(f.at), 0
		if isContainer(h) {
			continue
		}
		if err := f.check(h); err != nil {
			return "", 0, err
		}
		if h.Typeflag != tar.TypeReg {
			if f.link = linkTarget(h); f.link != "" {
				return path.Clean(h.Name), 0, nil
			}
			continue
		}
		f.end += h.Size + padding(h.Size)
		if name := path.Clean(h.Name); len(name) < maxName {
			return name, h.Size, nil
		}
	}
}

// isContainer reports whether an entry is a folder, or a header for the whole tar.
func isContainer(h *tar.Header) bool {
	return h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader
}

// linkTarget returns the target of a link with the name of a file of a layout, and "" for any
// other entry. tar writes a link to itself for a file that it is given twice.
func linkTarget(h *tar.Header) string {
	name, to := path.Clean(h.Name), path.Clean(h.Linkname)
	if h.Typeflag == tar.TypeSymlink {
		to = path.Join(path.Dir(name), h.Linkname)
	}
	if to == name || !inBundle(name) {
		return ""
	}
	return to
}

// check refuses entries that no layout can have instead of a file, and names that lead out of
// the archive.
func (f *tarFile) check(h *tar.Header) error {
	file := h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeLink || h.Typeflag == tar.TypeSymlink
	switch {
	case !file && (h.Typeflag == tar.TypeGNUSparse || inBundle(path.Clean(h.Name))):
		return damaged(f.at, "the entry %.100q is not a file or a folder", h.Name)
	case h.PAXRecords["GNU.sparse.major"] != "" || h.PAXRecords["GNU.sparse.map"] != "":
		return damaged(f.at, "the entry %.100q is a sparse file", h.Name)
	case h.Size > maxSize:
		return damaged(f.at, "the entry %.100q has %d bytes", h.Name, h.Size)
	case path.IsAbs(h.Name) || slices.Contains(strings.Split(h.Name, "/"), ".."):
		return damaged(f.at, "the entry %.100q leads out of the archive", h.Name)
	}
	return nil
}

// ended returns io.EOF if there is a block of zeros after the last entry. To archive/tar a
// tar that is truncated there, or within the padding before, looks whole.
func (f *tarFile) ended() error {
	if f.zeros < tarBlock {
		return cutOff(f.at, "the tar has no end")
	}
	return io.EOF
}

// fault returns the error of the source, if there is one, instead of the error of the tar.
func (f *tarFile) fault(err error) error {
	switch {
	case f.err != nil && f.err != io.EOF:
		return f.err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return cutOff(f.at, "the tar is truncated")
	}
	return damaged(f.at, "%v", err)
}

// read reads the content of the file that next returned.
func (f *tarFile) read(p []byte) (int, error) {
	n, err := f.tar.Read(p)
	if err != nil && err != io.EOF {
		err = f.fault(err)
	}
	return n, err
}

// Read reads the source for archive/tar.
func (f *tarFile) Read(p []byte) (int, error) {
	n, err := f.source.Read(p)
	if behind := f.at + int64(n) - f.end; behind > 0 && f.zeros < tarBlock {
		f.countZeros(p[max(0, int64(n)-behind):n], behind)
	}
	f.at += int64(n)
	if err != nil {
		f.err = err
	}
	return n, err
}

// countZeros counts the zeros in p, the last bytes read. p ends behind bytes after the end
// of an entry.
func (f *tarFile) countZeros(p []byte, behind int64) {
	if int64(f.zeros) != behind-int64(len(p)) {
		return // there was something else before
	}
	f.zeros += len(p) - len(bytes.TrimLeft(p, "\x00"))
}

// seekingTarFile lets archive/tar skip content by seeking.
type seekingTarFile struct{ *tarFile }

func (f seekingTarFile) Seek(offset int64, whence int) (int64, error) {
	at, err := f.source.(io.Seeker).Seek(offset, whence)
	if err == nil {
		f.at = at
	}
	return at, err
}

// checkTar checks that a first block is the header of a tar, or the end of an empty one.
func checkTar(head []byte) error {
	if len(head) < tarBlock {
		if len(head) >= 262 && string(head[257:262]) == "ustar" {
			return cutOff(int64(len(head)), "the file ends here")
		}
		return ErrNotArchive
	}
	_, err := tar.NewReader(bytes.NewReader(head[:tarBlock])).Next()
	if err == nil || err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return ErrNotArchive
}

// openTar records the positions of the entries of a plain tar.
func (a *Reader) openTar() error {
	a.directory = newDirectory(0)
	f := newTarFile(io.NewSectionReader(a.r, 0, a.size))
	var key []byte
	var links [][2]string // name and target of links to later entries
	for {
		name, size, err := f.next()
		if err == io.EOF {
			return a.follow(links)
		}
		if err == nil && size > a.size-f.at {
			err = cutOff(f.at, "%.100q is truncated", name)
		}
		if err != nil {
			return err
		}
		at := place{offset: f.at, size: size}
		if f.link != "" {
			var found bool
			if at, found = a.directory.find(f.link); !found {
				links = append(links, [2]string{name, f.link})
				continue
			}
		}
		key = appendKey(key[:0], name)
		if err := a.directory.add(key, at.offset, at.size); err != nil {
			return err
		}
	}
}

// follow gives links the content of files that come later. It skips links to nothing in the
// archive: their files count as missing.
func (a *Reader) follow(links [][2]string) error {
	for _, link := range links {
		at, found := a.directory.find(link[1])
		if _, there := a.directory.find(link[0]); there || !found {
			continue
		}
		if err := a.directory.add(appendKey(nil, link[0]), at.offset, at.size); err != nil {
			return err
		}
	}
	return nil
}
