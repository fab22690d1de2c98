package origin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
)

// Made is an artifact that is no registry's: its manifest is made of a file that a server has.
type Made struct {
	ref   config.Reference // with its tag; its registry is the host of the server
	load  func(context.Context) (*Artifact, error)
	fetch func(ctx context.Context, limit int64) (io.ReadCloser, error)

	artifact atomic.Pointer[Artifact] // nil until it is loaded
	mu       sync.Mutex               // guards err; held while it loads
	err      error
}

// Artifact is an artifact that was made, in memory but for its file.
type Artifact struct {
	Descriptor ocispec.Descriptor
	Manifest   []byte
	Blobs      map[digest.Digest][]byte // those that are kept
	File       ocispec.Descriptor       // the layer that is the file; Blobs may have it
}

// NewMade returns the artifact that load makes when it is first asked for. fetch opens the file
// again.
func NewMade(ref config.Reference, load func(context.Context) (*Artifact, error), fetch func(context.Context, int64) (io.ReadCloser, error)) *Made {
	return &Made{ref: ref, load: load, fetch: fetch}
}

// Load makes the artifact, once.
func (m *Made) Load(ctx context.Context) (*Artifact, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.artifact.Load(); c != nil || m.err != nil {
		return c, m.err
	}
	c, err := m.load(ctx)
	if err == nil {
		m.artifact.Store(c)
	} else if ctx.Err() == nil {
		m.err = err
	}
	return c, err
}

// Kept returns a blob that is in memory, or nil.
func (m *Made) Kept(d digest.Digest) []byte {
	if c := m.artifact.Load(); c != nil {
		return c.Blobs[d]
	}
	return nil
}

func (m *Made) Queue() string { return m.ref.Registry }

func (m *Made) Repository() string { return m.ref.Name() }

func (m *Made) Repositories(digest.Digest) []string { return []string{m.ref.Name()} }

func (m *Made) Resolve(ctx context.Context, ref config.Reference) (ocispec.Descriptor, error) {
	desc, _, err := m.Open(ctx, ref)
	return desc, err
}

func (m *Made) Open(ctx context.Context, ref config.Reference) (ocispec.Descriptor, []byte, error) {
	c, err := m.Load(ctx)
	if err == nil && ref.Digest != "" && ref.Digest != c.Descriptor.Digest {
		err = &engine.RemadeError{Wanted: ref.Digest, Got: c.Descriptor.Digest}
	}
	if err != nil {
		return ocispec.Descriptor{}, nil, &engine.ArtifactError{Reference: ref.String(), Op: "resolve", Err: err}
	}
	return c.Descriptor, c.Manifest, nil
}

func (m *Made) Manifest(ctx context.Context, desc ocispec.Descriptor) ([]byte, error) {
	c, err := m.Load(ctx)
	if err == nil && c.Descriptor.Digest != desc.Digest {
		err = errdef.ErrNotFound
	}
	if err != nil {
		return nil, &engine.ArtifactError{Reference: m.ref.Name() + "@" + desc.Digest.String(), Op: "fetch", Err: err}
	}
	return c.Manifest, nil
}

// Child returns nothing: the manifest is no index.
func (m *Made) Child(context.Context, ocispec.Descriptor) ([]byte, error) { return nil, nil }

func (m *Made) Referrers(context.Context, ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	return nil, nil
}

func (m *Made) Attached(context.Context, Attachee) ([]config.Reference, error) {
	return nil, nil
}

func (m *Made) Owners(context.Context, string, digest.Digest) ([]Owner, error) {
	return nil, nil
}

func (m *Made) HasBlob(ctx context.Context, desc ocispec.Descriptor) (bool, error) {
	c, err := m.Load(ctx)
	return err == nil && (c.File.Digest == desc.Digest || m.Kept(desc.Digest) != nil), err
}

// Blob reads from memory, or the file from its server, which is asked for all of it.
func (m *Made) Blob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	c, err := m.Load(ctx)
	if err != nil {
		return nil, err
	}
	if data, kept := c.Blobs[desc.Digest]; kept {
		if off+n > int64(len(data)) {
			return nil, fmt.Errorf("%s: %w", desc.Digest, io.ErrUnexpectedEOF)
		}
		return io.NopCloser(bytes.NewReader(data[off : off+n])), nil
	}
	if off > 0 || n < desc.Size {
		return nil, transport.ErrNoRange
	}
	body, err := m.fetch(ctx, desc.Size)
	if err != nil {
		return nil, &engine.ArtifactError{Reference: m.ref.Name() + "@" + desc.Digest.String(), Op: "fetch", Err: err}
	}
	return body, nil
}
