package source

import (
	"bytes"
	"context"
	"io"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/content"
	"github.com/oras-mirror/oras-mirror/engine/internal/headway"
)

// inMemory is a blob whose verified bytes are in memory.
type inMemory []byte

func (m inMemory) Verified() bool { return true }

func (m inMemory) Open(_ context.Context, r Reading) (io.ReadCloser, error) {
	return io.NopCloser(&headway.Counted{Reader: bytes.NewReader(m), Heard: r.Heard}), nil
}

// inFile is a blob whose verified bytes are in a temporary file.
type inFile struct {
	file io.ReaderAt
	size int64
}

func (f *inFile) Verified() bool { return true }

func (f *inFile) Open(_ context.Context, r Reading) (io.ReadCloser, error) {
	r.Heard(f.size)
	return io.NopCloser(io.NewSectionReader(f.file, 0, f.size)), nil
}

// passing is a blob of a pipe that is read once, as it comes.
type passing struct {
	in io.Reader
	content.Descriptor
	body *verifiedBlob // nil until it is opened
}

func (p *passing) Verified() bool { return true }

func (p *passing) Open(_ context.Context, r Reading) (io.ReadCloser, error) {
	if p.body != nil {
		return nil, engine.ErrSpent
	}
	p.body = verified(io.NopCloser(p.in), r.Heard, p.Descriptor)
	return p.body, nil
}

// fault returns the error of the bytes that were read, nil if they are right.
func (p *passing) fault() error {
	if p.body == nil {
		return nil
	}
	return p.body.fault()
}

// spent is a blob of a pipe whose bytes have passed.
type spent struct{}

func (spent) Verified() bool { return true }

func (spent) Open(context.Context, Reading) (io.ReadCloser, error) { return nil, engine.ErrSpent }
