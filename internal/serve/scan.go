package serve

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store"
)

// scan has the referrers among manifests whose subject index.json does not have: those of
// another tool or an earlier version, and artifacts with a name that refer to another one.
// Each source is read once, at the first request for referrers in it.
type scan struct {
	once sync.Once
	mu   sync.Mutex // guards the following fields while it runs
	rows []found    // by subject and digest
	seen map[look]bool
}

// found is a referrer that only its manifest makes one.
type found struct {
	subject, digest store.CompactDigest
	homes           uint32
}

// look is a manifest that was read for some repositories.
type look struct {
	digest digest.Digest
	homes  uint32
}

// nameless is the key of the scan of manifests without a tag.
const nameless int32 = -1

// scan returns the scan of a source, or of the manifests without a tag, once it is done.
func (c *content) scan(key int32) *scan {
	c.mu.Lock()
	s := c.scanned[key]
	if s == nil {
		s = &scan{seen: make(map[look]bool)}
		c.scanned[key] = s
	}
	c.mu.Unlock()
	s.once.Do(func() {
		if key == nameless {
			c.readNameless(s)
		} else {
			c.readSource(s, key)
		}
		s.seen = nil
		slices.SortFunc(s.rows, func(a, b found) int { return bytes.Compare([]byte(a.subject+a.digest), []byte(b.subject+b.digest)) })
	})
	return s
}

// referring returns the rows whose subject is a digest.
func (s *scan) referring(subject store.CompactDigest) []found {
	begin, ok := slices.BinarySearchFunc(s.rows, subject, func(f found, subject store.CompactDigest) int {
		return bytes.Compare([]byte(f.subject), []byte(subject))
	})
	end := begin
	for ok && end < len(s.rows) && s.rows[end].subject == subject {
		end++
	}
	return s.rows[begin:end]
}

func (c *content) readNameless(s *scan) {
	var jobs errgroup.Group
	jobs.SetLimit(runtime.GOMAXPROCS(0))
	for _, r := range c.table.unread {
		d := store.CompactDigest(c.table.sum(r.sum)).Digest()
		jobs.Go(func() error { c.readSubject(s, d, r.homes, 0); return nil })
	}
	_ = jobs.Wait() // none has an error
}

func (c *content) readSource(s *scan, number int32) {
	var jobs errgroup.Group
	jobs.SetLimit(runtime.GOMAXPROCS(0))
	for _, x := range c.table.sources[number].tags {
		d := store.CompactDigest(c.table.sum(x.sum)).Digest()
		tag := string(c.table.tag(x))
		jobs.Go(func() error {
			c.readSubject(s, d, 0, 0)
			c.readList(s, tag, d)
			return nil
		})
	}
	_ = jobs.Wait() // none has an error
}

// readSubject adds a manifest if it is a referrer, and the children of an index that are.
// One that cannot be read refers to nothing: it is not sent either.
func (c *content) readSubject(s *scan, d digest.Digest, homes uint32, depth int) {
	if depth > bounds.Depth || !s.enter(look{d, homes}) {
		return
	}
	data, ok := c.peek(d)
	if !ok {
		return
	}
	m, err := store.ParseManifest(ocispec.Descriptor{Digest: d, Size: int64(len(data))}, data)
	if err != nil {
		return
	}
	if m.Subject != nil {
		s.add(m.Subject.Digest, d, homes)
	}
	for _, child := range m.Manifests {
		c.readSubject(s, child.Digest, homes, depth+1)
	}
}

func (s *scan) enter(l look) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[l] {
		return false
	}
	s.seen[l] = true
	return true
}

func (s *scan) add(subject, d digest.Digest, homes uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if subject := store.Compact(subject); subject != "" {
		s.rows = append(s.rows, found{subject, store.Compact(d), homes})
	}
}

// readList adds the members of a list of referrers, which a registry without the referrers
// API has under a tag.
func (c *content) readList(s *scan, tag string, d digest.Digest) {
	e := store.Entry{Name: tag, Digest: d}
	members, _ := store.ReferrersList(e, func(desc ocispec.Descriptor) ([]byte, error) {
		data, release, err := c.manifest(context.Background(), desc.Digest)
		if err == nil {
			release() // it is decoded at once, one after the other
		}
		return data, err
	})
	for _, m := range members {
		s.add(m.Subject, m.Digest, 0)
	}
}

// peeked are the buffers for manifests that are looked through.
var peeked = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// peek returns the bytes of a manifest that may have a subject or children, hashed; ok is
// false for any other. Most have neither, and are not decoded.
func (c *content) peek(d digest.Digest) (data []byte, ok bool) {
	buffer := peeked.Get().(*bytes.Buffer)
	defer peeked.Put(buffer)
	for _, in := range c.inputs {
		blob, err := in.layout.Open(d)
		if err != nil {
			continue
		}
		buffer.Reset()
		_, err = io.CopyN(buffer, blob, min(blob.Size(), store.MaxManifest+1))
		_ = blob.Close() // it was only read
		text := buffer.Bytes()
		if err != nil || len(text) > store.MaxManifest || !bytes.Contains(text, []byte(`"subject"`)) && !bytes.Contains(text, []byte(`"manifests"`)) {
			continue
		}
		if d.Algorithm().FromBytes(text) == d {
			return bytes.Clone(text), true
		}
	}
	return nil, false
}
