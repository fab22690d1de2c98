package store

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/bucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

const (
	// uploadPart is the size of the parts of a large blob, and of the largest blob that is
	// sent with one request.
	uploadPart = 8 << 20
	// uploadMemory bounds the memory of all blobs under way, which is at most a quarter of the
	// buffer: what is fetched ahead has the buffer, too.
	uploadMemory = 64 << 20
)

var uploadBuffers = sync.Pool{New: func() any { return new([uploadPart]byte) }}

// BucketIngest writes a blob to a bucket. It is not safe for concurrent use.
//
// A blob of more than a part is sent while it comes. Its last part is kept back until the
// digest is right, so that a wrong blob never becomes an object.
type BucketIngest struct {
	bucket   *Bucket
	desc     ocispec.Descriptor
	hash     hash.Hash
	size     int64
	buffer   []byte // not sent yet
	pooled   *[uploadPart]byte
	reserved int64
	upload   *bucket.Upload // nil before the first part
	parts    []bucket.Part
}

// Ingest starts to store a blob. It waits until there is memory for a part.
func (b *Bucket) Ingest(desc ocispec.Descriptor) (*BucketIngest, error) {
	if err := desc.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("%.200q: %w", desc.Digest, err)
	}
	i := &BucketIngest{bucket: b, desc: desc, hash: desc.Digest.Algorithm().Hash()}
	part := partSize(desc.Size)
	n := min(max(desc.Size, 0), part)
	// The memory is taken before anything of the blob is fetched, and kept until its end: a
	// run that takes one after the other could wait for itself.
	i.reserved = min(max(n, 1), b.most)
	if err := b.memory.Acquire(b.client.Context(), i.reserved); err != nil {
		return nil, err
	}
	if part == uploadPart && n > uploadPart/2 {
		i.pooled = uploadBuffers.Get().(*[uploadPart]byte)
		i.buffer = i.pooled[:0:n]
	} else {
		i.buffer = make([]byte, 0, n)
	}
	return i, nil
}

// memoryOf returns the memory for the blobs under way in a run with a buffer; 0 means one
// without a limit.
func memoryOf(buffer int64) int64 {
	if buffer <= 0 {
		return uploadMemory
	}
	return min(max(buffer/4, uploadPart), uploadMemory)
}

// partSize returns the size of the parts of a blob: the number of parts has a limit.
func partSize(size int64) int64 {
	return max(uploadPart, (size+bucket.MaxParts-1)/bucket.MaxParts)
}

// Size returns the number of bytes that were written.
func (i *BucketIngest) Size() int64 { return i.size }

// Write appends to the blob. If that exceeds the size of the descriptor, it writes nothing
// and returns an *oci.MismatchError.
func (i *BucketIngest) Write(p []byte) (int, error) {
	if size := i.size + int64(len(p)); size > i.desc.Size {
		return 0, &oci.MismatchError{Descriptor: i.desc, Size: size}
	}
	i.hash.Write(p)
	written := len(p)
	for len(p) > 0 {
		n := min(len(p), cap(i.buffer)-len(i.buffer))
		i.buffer = append(i.buffer, p[:n]...)
		i.size += int64(n)
		if p = p[n:]; len(i.buffer) == cap(i.buffer) && i.size < i.desc.Size {
			if err := i.send(); err != nil {
				return written - len(p), err
			}
		}
	}
	return written, nil
}

// send sends what is in the buffer as the next part.
func (i *BucketIngest) send() (err error) {
	ctx := i.bucket.client.Context()
	if i.upload == nil {
		if i.upload, err = i.bucket.client.NewUpload(ctx, i.bucket.prefix+bundle.BlobName(i.desc.Digest)); err != nil {
			i.upload = nil
			return err
		}
	}
	part, err := i.upload.Put(ctx, len(i.parts)+1, i.buffer)
	if err != nil {
		return err
	}
	i.parts, i.buffer = append(i.parts, part), i.buffer[:0]
	return nil
}

// Reset starts over.
func (i *BucketIngest) Reset() error {
	i.hash.Reset()
	i.size, i.buffer = 0, i.buffer[:0]
	return i.abort()
}

// Commit verifies the blob and makes it an object. A blob with the wrong size or digest is
// an *oci.MismatchError.
func (i *BucketIngest) Commit() error {
	got := &oci.MismatchError{Descriptor: i.desc, Size: i.size}
	got.Digest = digest.NewDigest(i.desc.Digest.Algorithm(), i.hash)
	if got.Size != i.desc.Size || got.Digest != i.desc.Digest {
		return errors.Join(got, i.Close())
	}
	if i.upload != nil {
		if err := i.send(); err != nil {
			return err
		}
	}
	return errors.Join(i.bucket.put(i.desc, i.finish), i.Close())
}

// finish makes the object of the parts that were sent, or of the buffer.
func (i *BucketIngest) finish(ctx context.Context, when bucket.Condition) error {
	if i.upload == nil {
		_, err := i.bucket.client.Put(ctx, i.bucket.prefix+bundle.BlobName(i.desc.Digest), i.buffer, when)
		return err
	}
	err := i.upload.Complete(ctx, i.parts, when)
	if err == nil {
		i.upload, i.parts = nil, nil
	}
	return err
}

// Close drops what was not committed: the parts of an upload cannot be read again, so a
// later run could not verify them.
func (i *BucketIngest) Close() error {
	if i.reserved == 0 {
		return nil
	}
	err := i.abort()
	i.bucket.memory.Release(i.reserved)
	i.reserved, i.buffer = 0, nil
	if i.pooled != nil {
		uploadBuffers.Put(i.pooled)
		i.pooled = nil
	}
	return err
}

// abort removes the parts that were sent, even after the end of the run.
func (i *BucketIngest) abort() error {
	if i.upload == nil {
		return nil
	}
	err := i.upload.Abort(i.bucket.client.Context())
	i.upload, i.parts = nil, nil
	return err
}
