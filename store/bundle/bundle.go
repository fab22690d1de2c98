// Package bundle implements the format of the archives: an OCI layout in a tar, inside a gzip
// file of many members. Any tar reads it, and a [Reader] reads it at random. The package
// knows tar and gzip; it does not know registries or the meaning of a blob.
//
// [Writer] and [Encoder] write an archive, [Open] and [NewStream] read one, [Recover] and
// [Resume] continue an interrupted one.
//
// The rules of the format, in full in docs/bundle-format.md:
//
//   - A gzip member begins at every tar entry, and again after every 1 MiB of
//     that entry's tar bytes, header and padding included.
//   - A member's extra field has the length of the member in the file and the length
//     of its data, so that a reader can walk the file without inflating it.
//   - After the end of the tar there are empty members with a table of the entries.
//     A reader that does not know them sees nothing.
//   - Compressed blobs are stored: their bytes depend on no library.
//   - Nothing in the file depends on time, user or machine.
package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Compression is the compression of the tar.
type Compression int

const (
	Gzip Compression = iota // members as above
	None                    // a plain tar
)

// maxEntries bounds the memory of a reader, at about 100 bytes an entry. It is a variable
// only for tests.
var maxEntries = 2_000_000

// ErrForeign is the error for an archive that can only be read as a stream: it is
// compressed, and not in the members of this package.
var ErrForeign = errors.New("the archive can only be read from start to end")

// ErrNotArchive is the error for bytes that are not an archive.
var ErrNotArchive = errors.New("not a tar archive")

// FormatError is the error for a damaged archive. If the archive is truncated it is also an
// io.ErrUnexpectedEOF.
type FormatError struct {
	Offset int64 // in the file, in bytes; of a foreign archive that is compressed, in the tar
	Reason string
	cut    bool
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("archive is damaged at byte %d: %s", e.Offset, e.Reason)
}

// Is makes errors.Is(err, io.ErrUnexpectedEOF) true for a truncated archive.
func (e *FormatError) Is(target error) bool { return e.cut && target == io.ErrUnexpectedEOF }

// LinkError is the error for a file of a layout that is a link to an earlier entry of a
// stream. In a plain tar file, which is read at random, links are followed.
type LinkError struct{ Name, To string }

func (e *LinkError) Error() string {
	return fmt.Sprintf("the entry %.100q is a link to %.100q, which can be followed only in a plain tar file", e.Name, e.To)
}

func damaged(offset int64, format string, args ...any) error {
	return &FormatError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

func cutOff(offset int64, format string, args ...any) error {
	return &FormatError{Offset: offset, Reason: fmt.Sprintf(format, args...), cut: true}
}

// tooMany returns an error at the first entry beyond maxEntries.
func tooMany(entries int, offset int64) error {
	if entries < maxEntries {
		return nil
	}
	return damaged(offset, "more than %d entries", maxEntries)
}

// The magic numbers of what is compressed already.
var (
	magicGzip = []byte{0x1f, 0x8b}
	magicZstd = []byte{0x28, 0xb5, 0x2f, 0xfd}
	magics    = [...][]byte{
		magicGzip,
		magicZstd,
		{0xfd, '7', 'z', 'X', 'Z', 0}, // xz
		[]byte("BZh"),                 // bzip2
		[]byte("PK\x03\x04"),          // zip
	}
)

// sniffLength is the number of bytes that tell whether a blob is compressed.
const sniffLength = 6

func isCompressed(head []byte) bool {
	for _, magic := range magics {
		if bytes.HasPrefix(head, magic) {
			return true
		}
	}
	return false
}
