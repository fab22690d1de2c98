package testregistry

import (
	"bytes"
	"context"
	"errors"
	"sync"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
)

// sink stores the content of a Seeder.
type sink interface {
	blob(ctx context.Context, repo string, desc ocispec.Descriptor, data []byte) error
	// manifest is also tagged, unless tag is empty, and listed with its subject.
	manifest(ctx context.Context, repo, tag string, desc ocispec.Descriptor, data []byte) error
}

// remoteSink pushes to a registry with oras-go, which also keeps the fallback index.
type remoteSink struct {
	access Access
	client *auth.Client
	mu     sync.Mutex // guards repos
	repos  map[string]*remote.Repository
}

func (s *remoteSink) repository(name string) (*remote.Repository, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if repository := s.repos[name]; repository != nil {
		return repository, nil
	}
	repository, err := s.access.repository(s.client, name)
	if err != nil {
		return nil, err
	}
	s.repos[name] = repository
	return repository, nil
}

func (s *remoteSink) blob(ctx context.Context, repo string, desc ocispec.Descriptor, data []byte) error {
	repository, err := s.repository(repo)
	if err != nil {
		return err
	}
	_, err = repository.Blobs().Resolve(ctx, desc.Digest.String())
	if !errors.Is(err, errdef.ErrNotFound) {
		return err
	}
	return repository.Blobs().Push(ctx, desc, bytes.NewReader(data))
}

func (s *remoteSink) manifest(ctx context.Context, repo, tag string, desc ocispec.Descriptor, data []byte) error {
	repository, err := s.repository(repo)
	if err != nil {
		return err
	}
	content := bytes.NewReader(data)
	if tag == "" {
		return repository.Manifests().Push(ctx, desc, content)
	}
	return repository.Manifests().PushReference(ctx, desc, content, tag)
}
