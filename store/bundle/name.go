package bundle

import (
	"encoding/hex"
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

const blobFolder = "blobs/"

// BlobName returns the name of a blob's entry.
func BlobName(d digest.Digest) string {
	return blobFolder + d.Algorithm().String() + "/" + d.Encoded()
}

// The names that a bundle's entries have come in these kinds. The numbers are
// those of the table.
const (
	kindLayout = iota
	kindIndex
	kindSHA256
	kindSHA512
	kindSHA384
	kindOther // in a foreign tar, never in a table
)

// algorithms are the folders of blobs, by kind.
var algorithms = [...]struct {
	folder string
	bytes  int // of a digest
}{
	kindSHA256: {blobFolder + "sha256/", 32},
	kindSHA512: {blobFolder + "sha512/", 64},
	kindSHA384: {blobFolder + "sha384/", 48},
}

// appendKey appends the key of a name, a short form of it: its kind, then the digest. A name
// that no layout has follows unchanged.
func appendKey(p []byte, name string) []byte {
	switch name {
	case LayoutFile:
		return append(p, kindLayout)
	case IndexFile:
		return append(p, kindIndex)
	}
	for kind, a := range algorithms {
		encoded, ok := strings.CutPrefix(name, a.folder)
		if ok && a.bytes > 0 && len(encoded) == 2*a.bytes && encoded == strings.ToLower(encoded) {
			if key, err := hex.AppendDecode(append(p, byte(kind)), []byte(encoded)); err == nil {
				return key
			}
		}
	}
	return append(append(p, kindOther), name...)
}

// keyName is the reverse of appendKey.
func keyName(key []byte) string {
	switch kind := key[0]; kind {
	case kindLayout:
		return LayoutFile
	case kindIndex:
		return IndexFile
	case kindOther:
		return string(key[1:])
	default:
		return algorithms[kind].folder + hex.EncodeToString(key[1:])
	}
}

// keyLength returns the length of the key that p begins with. ok is false for a kind that no
// table has.
func keyLength(p []byte) (n int, ok bool) {
	if len(p) == 0 || int(p[0]) >= len(algorithms) {
		return 0, false
	}
	return 1 + algorithms[p[0]].bytes, true
}

// inBundle reports whether an entry of a bundle may have this name.
func inBundle(name string) bool {
	var scratch [1 + 64]byte
	return appendKey(scratch[:0], name)[0] != kindOther
}
