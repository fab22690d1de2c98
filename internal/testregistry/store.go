package testregistry

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// store holds the content of a registry in memory. Its methods may be called concurrently; the
// bytes passed in and out are never written to again.
type store struct {
	mu    sync.RWMutex // guards all below
	repos map[string]*repository
}

type repository struct {
	manifests map[digest.Digest]manifest
	blobs     map[digest.Digest][]byte
	tags      map[string]digest.Digest
	sorted    []string // the keys of tags; nil: to be made again
	referrers map[digest.Digest]map[digest.Digest]ocispec.Descriptor
}

type manifest struct {
	mediaType string
	data      []byte
}

func newStore() *store { return &store{repos: map[string]*repository{}} }

// repository returns a repository, and creates it if necessary. The caller holds mu.
func (s *store) repository(name string) *repository {
	repo := s.repos[name]
	if repo == nil {
		repo = &repository{
			manifests: map[digest.Digest]manifest{},
			blobs:     map[digest.Digest][]byte{},
			tags:      map[string]digest.Digest{},
			referrers: map[digest.Digest]map[digest.Digest]ocispec.Descriptor{},
		}
		s.repos[name] = repo
	}
	return repo
}

func (s *store) putBlob(name string, d digest.Digest, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repository(name).blobs[d] = data
}

func (s *store) blob(name string, d digest.Digest) ([]byte, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if repo := s.repos[name]; repo != nil {
		data, ok := repo.blobs[d]
		return data, ok
	}
	return nil, false
}

// putManifest stores a manifest, tags it unless tag is empty, lists it with its subject, and
// returns the subject, or nil if it has none.
func (s *store) putManifest(name, tag string, d digest.Digest, m manifest) *ocispec.Descriptor {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.repository(name)
	repo.manifests[d] = m
	if tag != "" {
		if _, ok := repo.tags[tag]; !ok {
			repo.sorted = nil
		}
		repo.tags[tag] = d
	}
	if !bytes.Contains(m.data, []byte(`"subject"`)) {
		return nil // without decoding it, which takes seconds for 16 MiB of small values
	}
	g := parseGraph(m.data)
	if g.Subject == nil {
		return nil
	}
	if repo.referrers[g.Subject.Digest] == nil {
		repo.referrers[g.Subject.Digest] = map[digest.Digest]ocispec.Descriptor{}
	}
	repo.referrers[g.Subject.Digest][d] = g.referrer(d, m)
	return g.Subject
}

// manifest returns the manifest of a tag or a digest.
func (s *store) manifest(name, reference string) (digest.Digest, manifest, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	repo := s.repos[name]
	if repo == nil {
		return "", manifest{}, false
	}
	d, tagged := repo.tags[reference]
	if !tagged {
		d = digest.Digest(reference)
	}
	m, ok := repo.manifests[d]
	return d, m, ok
}

func (s *store) untag(name, tag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.repository(name)
	delete(repo.tags, tag)
	repo.sorted = nil
}

func (s *store) remove(name string, d digest.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.repository(name)
	delete(repo.blobs, d)
	delete(repo.manifests, d)
	maps.DeleteFunc(repo.tags, func(_ string, of digest.Digest) bool { return of == d })
	for _, referrers := range repo.referrers {
		delete(referrers, d)
	}
	repo.sorted = nil
}

func (s *store) has(name string, d digest.Digest) bool {
	if _, ok := s.blob(name, d); ok {
		return true
	}
	_, _, ok := s.manifest(name, d.String())
	return ok
}

// tags returns the sorted tags of a repository, or nil if it does not exist.
func (s *store) tags(name string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.repos[name]
	if repo == nil {
		return nil
	}
	if repo.sorted == nil {
		repo.sorted = slices.Sorted(maps.Keys(repo.tags))
	}
	return append([]string{}, repo.sorted...)
}

// names returns the sorted repositories that have a manifest.
func (s *store) names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	for name, repo := range s.repos {
		if len(repo.manifests) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// referrers returns the referrers of a subject, sorted by digest.
func (s *store) referrers(name string, subject digest.Digest) []ocispec.Descriptor {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []ocispec.Descriptor{}
	if repo := s.repos[name]; repo != nil {
		list = slices.AppendSeq(list, maps.Values(repo.referrers[subject]))
	}
	slices.SortFunc(list, func(a, b ocispec.Descriptor) int {
		return cmp.Compare(a.Digest, b.Digest)
	})
	return list
}
