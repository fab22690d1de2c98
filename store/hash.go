package store

import (
	"fmt"
	"io"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// hashBuffer is large enough to make the cost of reads small beside that of hashing.
type hashBuffer [256 << 10]byte

var hashBuffers = sync.Pool{New: func() any { return new(hashBuffer) }}

// hashBlob reads a stored blob and compares it with its descriptor. After each read it
// calls progress, which may be nil, and returns its error.
func hashBlob(l Layout, desc ocispec.Descriptor, progress func(n int64) error) error {
	blob, err := l.Open(desc.Digest)
	if err != nil {
		return err
	}
	defer blob.Close()
	if size := blob.Size(); size != desc.Size {
		return &MismatchError{Descriptor: desc, Size: size}
	}
	return hashReader(blob, desc, progress)
}

func hashReader(r io.Reader, desc ocispec.Descriptor, progress func(n int64) error) error {
	buffer := hashBuffers.Get().(*hashBuffer)
	defer hashBuffers.Put(buffer)
	algorithm := desc.Digest.Algorithm()
	hash := algorithm.Hash()
	got := &MismatchError{Descriptor: desc}
	for {
		n, err := r.Read(buffer[:])
		hash.Write(buffer[:n])
		got.Size += int64(n)
		if err == io.EOF {
			break
		}
		if err == nil && progress != nil {
			err = progress(int64(n))
		}
		if err != nil {
			return err
		}
	}
	got.Digest = digest.NewDigest(algorithm, hash)
	if got.Size != desc.Size || got.Digest != desc.Digest {
		return got
	}
	return nil
}

// checkContent compares data with its descriptor.
func checkContent(desc ocispec.Descriptor, data []byte) error {
	if err := desc.Digest.Validate(); err != nil {
		return fmt.Errorf("%.200q: %w", desc.Digest, err)
	}
	got := &MismatchError{Descriptor: desc, Size: int64(len(data))}
	if got.Size != desc.Size {
		return got
	}
	if got.Digest = desc.Digest.Algorithm().FromBytes(data); got.Digest != desc.Digest {
		return got
	}
	return nil
}
