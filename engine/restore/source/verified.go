package source

import (
	"hash"
	"io"

	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
)

// verifiedBlob hashes bytes as they pass. It returns the last of them only if all are right:
// an upload of wrong ones never becomes a blob, even in a registry that does not check digests.
type verifiedBlob struct {
	headway.Counted
	body io.ReadCloser // of the response or the file
	blob content.Descriptor
	hash hash.Hash
	left int64
}

// Verified returns a reader that hashes the bytes of a blob as they pass, and tells heard how many.
// It returns the last of them only if all are right.
func Verified(body io.ReadCloser, heard func(int64), b content.Descriptor) io.ReadCloser {
	return verified(body, heard, b)
}

func verified(body io.ReadCloser, heard func(int64), b content.Descriptor) *verifiedBlob {
	return &verifiedBlob{Counted: headway.Counted{Reader: body, Heard: heard}, body: body, blob: b, hash: b.Digest.Algorithm().Hash(), left: b.Size}
}

func (v *verifiedBlob) Close() error { return v.body.Close() }

// Unwrap returns the body that the registry's client may know.
func (v *verifiedBlob) Unwrap() io.ReadCloser { return v.body }

func (v *verifiedBlob) Read(p []byte) (int, error) {
	if v.left == 0 {
		return 0, io.EOF
	}
	n, err := v.Counted.Read(p[:min(int64(len(p)), v.left)])
	v.hash.Write(p[:n])
	v.left -= int64(n)
	if wrong := v.fault(); wrong != nil {
		return 0, wrong
	}
	if err == io.EOF && v.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// fault returns an error if all bytes came and are wrong.
func (v *verifiedBlob) fault() error {
	if v.left > 0 {
		return nil
	}
	return content.CheckHash(v.blob, v.hash)
}
