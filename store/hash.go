package store

import (
	"io"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// hashBuffer is large enough to make the cost of reads small beside that of hashing.
type hashBuffer [256 << 10]byte

var hashBuffers = sync.Pool{New: func() any { return new(hashBuffer) }}

func hashReader(r io.Reader, desc ocispec.Descriptor, progress func(n int64) error) error {
	buffer := hashBuffers.Get().(*hashBuffer)
	defer hashBuffers.Put(buffer)
	algorithm := desc.Digest.Algorithm()
	hash := algorithm.Hash()
	got := &oci.MismatchError{Descriptor: desc}
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
