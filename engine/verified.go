package engine

import (
	"context"
	"errors"
	"hash"
	"io"

	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
)

// probeFrom is the number of bytes of blobs, on their way to one registry, that makes it worth
// two requests to learn that they need not be hashed here: a core hashes 64 MiB in
// 40 ms, and a request to a registry nearby takes 20.
const probeFrom = 64 << 20

// isWorthProbing tells whether the run asks a registry if it checks digests, before
// the first upload.
func (r *restore) isWorthProbing(name string) bool {
	return r.in.stream == nil && r.outgoing[name] >= probeFrom
}

// open opens a blob of a layout for an upload to a repository. It was never
// hashed on this machine: unless the registry does that, it is hashed on its way, and
// what is wrong does not arrive whole.
func (r *restore) open(ctx context.Context, repo *registry.Repository, name string, b descriptor, heard func(int64)) (io.ReadCloser, error) {
	body, err := r.layoutBlob(b)
	if err != nil {
		return nil, err
	}
	hashed := verified(part{Reader: &counted{Reader: body, heard: heard}, Closer: body}, b)
	if wrong := hashed.fault(); wrong != nil { // it should be empty: no one reads what is
		return nil, errors.Join(wrong, body.Close())
	}
	if r.isWorthProbing(name) && repo.ChecksDigests(ctx) {
		return unhashed(body, heard), nil
	}
	return hashed, nil
}

// unhashed hands a plain file out as it is: net/http sends it with sendfile, which
// any wrapper would end.
func unhashed(b store.Blob, heard func(int64)) io.ReadCloser {
	if f, ok := b.(store.File); ok {
		heard(b.Size())
		return f.File()
	}
	return part{Reader: &counted{Reader: b, heard: heard}, Closer: b}
}

// fetchVerified opens a blob of a registry that is on its way to another place.
func fetchVerified(ctx context.Context, repo *registry.Repository, b descriptor, heard func(int64)) (io.ReadCloser, error) {
	body, err := repo.FetchBlob(ctx, b.oci(), 0, b.size)
	if err != nil {
		return nil, err
	}
	v := verified(part{Reader: &counted{Reader: body, heard: heard}, Closer: body}, b)
	v.from = body
	return v, nil
}

// verifiedBlob hashes bytes as they pass. The last of them are let through only if
// all were right: an upload of wrong ones never becomes a blob, whatever the
// registry makes of digests.
type verifiedBlob struct {
	io.ReadCloser
	from io.ReadCloser // what it is read from
	blob descriptor
	hash hash.Hash
	left int64
}

func verified(body io.ReadCloser, b descriptor) *verifiedBlob {
	return &verifiedBlob{ReadCloser: body, from: body, blob: b, hash: b.digest.Algorithm().Hash(), left: b.size}
}

// Unwrap shows the registry's client what the bytes come from.
func (v *verifiedBlob) Unwrap() io.ReadCloser { return v.from }

func (v *verifiedBlob) Read(p []byte) (int, error) {
	if v.left == 0 {
		return 0, io.EOF
	}
	n, err := v.ReadCloser.Read(p[:min(int64(len(p)), v.left)])
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

// fault tells whether all bytes came, and are wrong.
func (v *verifiedBlob) fault() error {
	if v.left > 0 {
		return nil
	}
	return checkHash(v.blob, v.hash)
}
