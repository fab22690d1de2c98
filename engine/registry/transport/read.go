package transport

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

const (
	// smallDocument is larger than most documents. Smaller ones are read at once.
	smallDocument = 32 << 10
	// readChunk is the part of a larger document that is read before the next part
	// is accounted for.
	readChunk = 256 << 10
)

// readAll reads a body. A large one waits for its turn to be in memory.
func readAll(ctx context.Context, body io.Reader) ([]byte, error) {
	head, err := io.ReadAll(io.LimitReader(body, smallDocument))
	if err != nil || len(head) < smallDocument {
		return head, err
	}
	chunks := [][]byte{head}
	for size := int64(len(head)); ; {
		if err := bounds.Enter(ctx, 2*(size+readChunk)); err != nil {
			return nil, err
		}
		chunk := make([]byte, readChunk)
		n, err := fill(body, chunk)
		chunks, size = append(chunks, chunk[:n]), size+int64(n)
		if err == io.EOF {
			return bytes.Join(chunks, nil), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// fill is io.ReadFull, but returns the error of r unchanged: a body that breaks off has its
// own error.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// limitedBody is a body of at most limit bytes. It keeps the error that broke it off.
type limitedBody struct {
	io.Reader
	limit, left int64
	broken      error
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, fmt.Errorf("%w: more than %d bytes", errdef.ErrSizeExceedsLimit, b.limit)
	}
	// One byte over the limit tells a body that ends there from one that goes on.
	n, err := b.Reader.Read(p[:min(int64(len(p)), b.left+1)])
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, nil
	}
	if err != nil && err != io.EOF {
		b.broken = err
	}
	return n, err
}
