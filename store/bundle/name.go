package bundle

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	// A digest is valid only where its algorithm is linked in.
	_ "crypto/sha256"
	_ "crypto/sha512"

	"github.com/opencontainers/go-digest"
)

// The names of an OCI layout's files that are no blobs (image-spec, "Image Layout").
const (
	LayoutFile = "oci-layout"
	IndexFile  = "index.json"
)

// PartFile is the file that tells which part of a bundle an archive is.
const PartFile = "part.json"

const (
	blobFolder  = "blobs/"
	pieceFolder = "pieces/"
)

// BlobName returns the name of a blob's entry.
func BlobName(d digest.Digest) string {
	return blobFolder + d.Algorithm().String() + "/" + d.Encoded()
}

// PieceName returns the name of the entry with the part of a blob that begins at offset. The
// names of the pieces of a blob sort in their order.
func PieceName(d digest.Digest, offset int64) string {
	return fmt.Sprintf("%s%s/%s/%0*d", pieceFolder, d.Algorithm(), d.Encoded(), offsetDigits, offset)
}

// ParsePieceName returns the digest and the offset in the name of a piece.
func ParsePieceName(name string) (d digest.Digest, offset int64, ok bool) {
	var scratch [maxKey]byte
	key := appendKey(scratch[:0], name)
	k := names[key[0]]
	if !k.piece {
		return "", 0, false
	}
	at := len(key) - 8
	d = digest.NewDigestFromEncoded(k.algorithm, hex.EncodeToString(key[1:at]))
	return d, int64(binary.BigEndian.Uint64(key[at:])), true
}

// The names that a bundle's entries have come in these kinds. The numbers are
// those of the table.
const (
	kindLayout = iota
	kindIndex
	kindSHA256
	kindSHA512
	kindSHA384
	kindPart
	kindPieceSHA256
	kindPieceSHA512
	kindPieceSHA384
	kindOther // in a foreign tar, never in a table
)

const (
	// offsetDigits suffice for maxSize.
	offsetDigits = 19
	// maxKey is the length of the longest key of a table.
	maxKey = 1 + 64 + 8
)

// names are the names of the files of a bundle, by kind.
var names = [kindOther + 1]struct {
	file      string // "" of blobs and pieces
	folder    string // of blobs and pieces
	algorithm digest.Algorithm
	bytes     int  // of a digest
	piece     bool // an offset follows
}{
	kindLayout:      {file: LayoutFile},
	kindIndex:       {file: IndexFile},
	kindSHA256:      {folder: blobFolder + "sha256/", algorithm: digest.SHA256, bytes: 32},
	kindSHA512:      {folder: blobFolder + "sha512/", algorithm: digest.SHA512, bytes: 64},
	kindSHA384:      {folder: blobFolder + "sha384/", algorithm: digest.SHA384, bytes: 48},
	kindPart:        {file: PartFile},
	kindPieceSHA256: {folder: pieceFolder + "sha256/", algorithm: digest.SHA256, bytes: 32, piece: true},
	kindPieceSHA512: {folder: pieceFolder + "sha512/", algorithm: digest.SHA512, bytes: 64, piece: true},
	kindPieceSHA384: {folder: pieceFolder + "sha384/", algorithm: digest.SHA384, bytes: 48, piece: true},
}

// appendKey appends the key of a name, a short form of it: its kind, then the digest, then of a
// piece the offset. A name that no bundle has follows unchanged.
func appendKey(p []byte, name string) []byte {
	for kind, k := range names {
		if k.folder == "" && k.file == name && name != "" {
			return append(p, byte(kind))
		}
		if rest, ok := strings.CutPrefix(name, k.folder); ok && k.folder != "" {
			if key, ok := appendDigest(append(p, byte(kind)), rest, k.bytes, k.piece); ok {
				return key
			}
		}
	}
	return append(append(p, kindOther), name...)
}

// appendDigest appends an encoded digest of n bytes and, of a piece, the offset after it.
func appendDigest(p []byte, text string, n int, piece bool) (key []byte, ok bool) {
	encoded, offset, slash := strings.Cut(text, "/")
	if slash != piece || len(encoded) != 2*n || encoded != strings.ToLower(encoded) {
		return p, false
	}
	key, err := hex.AppendDecode(p, []byte(encoded))
	if err != nil || !piece {
		return key, err == nil
	}
	at, err := strconv.ParseUint(offset, 10, 63)
	if err != nil || len(offset) != offsetDigits || at > maxSize {
		return p, false
	}
	return binary.BigEndian.AppendUint64(key, at), true
}

// keyName is the reverse of appendKey.
func keyName(key []byte) string {
	k := names[key[0]]
	switch {
	case key[0] == kindOther:
		return string(key[1:])
	case k.file != "":
		return k.file
	case k.piece:
		at := len(key) - 8
		return fmt.Sprintf("%s%x/%0*d", k.folder, key[1:at], offsetDigits, binary.BigEndian.Uint64(key[at:]))
	}
	return k.folder + hex.EncodeToString(key[1:])
}

// keyLength returns the length of the key that p begins with. ok is false for a kind that no
// table has.
func keyLength(p []byte) (n int, ok bool) {
	if len(p) == 0 || p[0] >= kindOther {
		return 0, false
	}
	n = 1 + names[p[0]].bytes
	if names[p[0]].piece {
		n += 8
	}
	return n, true
}

// IsName reports whether a file of a tar belongs to a bundle.
func IsName(name string) bool { return inBundle(name) }

// inBundle reports whether an entry of a bundle may have this name.
func inBundle(name string) bool {
	var scratch [maxKey]byte
	return appendKey(scratch[:0], name)[0] != kindOther
}
