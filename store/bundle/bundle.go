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
	_ "crypto/sha256" // digests of these two kinds are valid in a bundle
	_ "crypto/sha512"
	"errors"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Compression is how the tar is wrapped.
type Compression int

const (
	Gzip Compression = iota // members as above
	None                    // a plain tar
)

// The names of an OCI layout's files that are no blobs (image-spec, "Image Layout").
const (
	LayoutFile = "oci-layout"
	IndexFile  = "index.json"
)

const blobFolder = "blobs/"

// maxEntries bounds what a reader remembers: 2 million entries take 300 MB. A
// variable for tests alone.
var maxEntries = 2_000_000

// ErrForeign says that an archive can only be read as a stream: it is
// compressed, and not in members of ours.
var ErrForeign = errors.New("archive can only be read from start to end")

// ErrNotArchive says that bytes are no archive at all.
var ErrNotArchive = errors.New("not a tar archive")

// FormatError says what is wrong with an archive, and where.
type FormatError struct {
	Offset int64 // in the file, in bytes
	Reason string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("archive is damaged at byte %d: %s", e.Offset, e.Reason)
}

func damaged(offset int64, format string, args ...any) error {
	return &FormatError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// BlobName is the name of a blob's entry.
func BlobName(d digest.Digest) string {
	return blobFolder + d.Algorithm().String() + "/" + d.Encoded()
}

// blobDigest is the reverse of BlobName.
func blobDigest(name string) (digest.Digest, bool) {
	algorithm, encoded, ok := strings.Cut(strings.TrimPrefix(name, blobFolder), "/")
	d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), encoded)
	return d, ok && strings.HasPrefix(name, blobFolder) && d.Validate() == nil
}

// magics begin what is compressed already: gzip, zstd, xz, bzip2, zip.
var magics = [][]byte{{0x1f, 0x8b}, {0x28, 0xb5, 0x2f, 0xfd}, {0xfd, '7', 'z', 'X', 'Z', 0}, []byte("BZh"), []byte("PK\x03\x04")}

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
