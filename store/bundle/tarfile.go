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

// tarFile goes through the headers of a tar that anyone may have written.
type tarFile struct {
	tar     *tar.Reader
	source  io.Reader
	at      int64 // what has been read, or sought, of the source
	end     int64 // where the entry ends that was read last, with its padding
	zeros   int   // bytes read directly behind end that are zero, up to a block
	headers int
	link    string // where the entry leads that was read last; "" for a file
	err     error  // of the source
}

// newTarFile passes over content by seeking where the source can.
func newTarFile(source io.Reader) *tarFile {
	f := &tarFile{source: source}
	if _, ok := source.(io.Seeker); ok {
		f.tar = tar.NewReader(seekingTarFile{f})
	} else {
		f.tar = tar.NewReader(f)
	}
	return f
}

// next returns the next file, or a link that stands where a layout has a file; io.EOF at
// the end. What has no part in a layout is passed over: folders, links and devices of
// other names, names longer than any layout has.
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

// isContainer tells folders, and what speaks of the tar as a whole.
func isContainer(h *tar.Header) bool {
	return h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader
}

// linkTarget returns the name to which a link leads that stands where a layout has a
// file, "" for any other entry. One to itself is what tar makes of a file that it is
// given twice.
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

// check refuses what a layout cannot have in the place of a file, and a name that leads
// out of the archive.
func (f *tarFile) check(h *tar.Header) error {
	file := h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeLink || h.Typeflag == tar.TypeSymlink
	switch {
	case !file && (h.Typeflag == tar.TypeGNUSparse || inBundle(path.Clean(h.Name))):
		return damaged(f.at, "the entry %.100q is neither file nor folder", h.Name)
	case h.PAXRecords["GNU.sparse.major"] != "" || h.PAXRecords["GNU.sparse.map"] != "":
		return damaged(f.at, "the entry %.100q is a sparse file", h.Name)
	case h.Size > maxSize:
		return damaged(f.at, "the entry %.100q has %d bytes", h.Name, h.Size)
	case path.IsAbs(h.Name) || slices.Contains(strings.Split(h.Name, "/"), ".."):
		return damaged(f.at, "the entry %.100q leads out of the archive", h.Name)
	}
	return nil
}

// ended is io.EOF if there is a block of zeros behind the last entry. A tar that
// was cut there, or within the padding of what came before, looks whole to
// archive/tar.
func (f *tarFile) ended() error {
	if f.zeros < tarBlock {
		return cutOff(f.at, "the tar has no end")
	}
	return io.EOF
}

// fault prefers what went wrong in the source to what a tar makes of it.
func (f *tarFile) fault(err error) error {
	switch {
	case f.err != nil && f.err != io.EOF:
		return f.err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return cutOff(f.at, "the tar is cut off")
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

// Read is how archive/tar reads the source.
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

// countZeros takes in the last bytes read, of so many behind the end of an entry.
func (f *tarFile) countZeros(p []byte, behind int64) {
	if int64(f.zeros) != behind-int64(len(p)) {
		return // there was something else before
	}
	f.zeros += len(p) - len(bytes.TrimLeft(p, "\x00"))
}

// seekingTarFile lets archive/tar pass over content unread.
type seekingTarFile struct{ *tarFile }

func (f seekingTarFile) Seek(offset int64, whence int) (int64, error) {
	at, err := f.source.(io.Seeker).Seek(offset, whence)
	if err == nil {
		f.at = at
	}
	return at, err
}

// checkTar tells whether a first block is the header of a tar, or the end of one
// that is empty.
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

// openTar notes where the entries of a plain tar are.
func (a *Reader) openTar() error {
	a.directory = newDirectory(0)
	f := newTarFile(io.NewSectionReader(a.r, 0, a.size))
	var key []byte
	var links [][2]string // from and to, of those that lead to what has not come yet
	for {
		name, size, err := f.next()
		if err == io.EOF {
			return a.follow(links)
		}
		if err == nil && size > a.size-f.at {
			err = cutOff(f.at, "%.100q is cut off", name)
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

// follow gives links the content of files that come after them. Those that lead to
// nothing in the archive are passed over: what they stand for is missing.
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
