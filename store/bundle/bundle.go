// Package bundle is the format of the archive: an OCI layout in a tar, in a
// gzip file of many members, that any tar reads and that we read at random. It
// knows tar and gzip; it does not know registries or what a blob means.
//
// The rules, in full in docs/bundle-format.md:
//
//   - A gzip member begins at every tar entry, and again after every 1 MiB of
//     that entry's tar bytes, header and padding included.
//   - A member's extra field says how long the member is in the file and how
//     much it inflates to, so that the file is walked without inflating it.
//   - Behind the end of the tar stand empty members that hold a table of the
//     entries. A reader that does not know them sees nothing.
//   - What is compressed already is stored: its bytes depend on no library.
//   - Nothing in the file depends on time, user or machine.
package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Compression is how the tar is wrapped.
type Compression int

const (
	Gzip Compression = iota // members as above
	None                    // a plain tar
)

// maxEntries bounds what a reader remembers, at about 100 bytes an entry. A
// variable for tests alone.
var maxEntries = 2_000_000

// ErrForeign says that an archive can only be read as a stream: it is
// compressed, and not in members of ours.
var ErrForeign = errors.New("archive can only be read from start to end")

// ErrNotArchive says that bytes are no archive at all.
var ErrNotArchive = errors.New("not a tar archive")

// FormatError says what is wrong with an archive, and where. One that is cut off
// is also an io.ErrUnexpectedEOF.
type FormatError struct {
	Offset int64 // in the file, in bytes; of a foreign archive that is compressed, in the tar
	Reason string
	cut    bool
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("archive is damaged at byte %d: %s", e.Offset, e.Reason)
}

// Is tells an archive that is cut off from one that is wrong in itself.
func (e *FormatError) Is(target error) bool { return e.cut && target == io.ErrUnexpectedEOF }

// LinkError says that a file of a layout is a link to another entry, which has gone by
// in a stream. A plain tar file is read at random, and its links are followed.
type LinkError struct{ Name, To string }

func (e *LinkError) Error() string {
	return fmt.Sprintf("the entry %.100q is a link to %.100q, which only a plain tar file can follow", e.Name, e.To)
}

func damaged(offset int64, format string, args ...any) error {
	return &FormatError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

func cutOff(offset int64, format string, args ...any) error {
	return &FormatError{Offset: offset, Reason: fmt.Sprintf(format, args...), cut: true}
}

// tooMany is an error at the first entry beyond maxEntries.
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

// sniffLength is how many bytes of a blob tell whether it is compressed.
const sniffLength = 6

func isCompressed(head []byte) bool {
	for _, magic := range magics {
		if bytes.HasPrefix(head, magic) {
			return true
		}
	}
	return false
}
