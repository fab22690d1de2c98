package content

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// scanner reads the manifests whose subject index.json does not have. It is safe for
// concurrent use.
type scanner struct {
	table  *table
	inputs []*Input

	mu  sync.Mutex // guards all
	all map[int32]*scan
}

func newScanner(t *table, inputs []*Input) *scanner {
	return &scanner{table: t, inputs: inputs, all: make(map[int32]*scan)}
}

// scan has the referrers among manifests whose subject index.json does not have: those of
// another tool or an earlier version, and artifacts with a name that refer to another one.
// Each source is read once, at the first request for referrers in it.
type scan struct {
	once sync.Once
	mu   sync.Mutex // guards the following fields while it runs
	rows []found    // by subject and digest
	seen map[look]bool
	err  error // of an input that could not be reached
}

// found is a referrer that only its manifest makes one.
type found struct {
	subject, digest compact.Digest
	homes           uint32
}

// look is a manifest that was read for some repositories.
type look struct {
	digest digest.Digest
	homes  uint32
}

// scanJobs is the number of manifests that are read side by side: in a bucket each is a request.
const scanJobs = 8

// nameless is the key of the scan of manifests without a tag.
const nameless int32 = -1

// scan returns the scan of a source, or of the manifests without a tag, once it is done. One
// that could not reach an input is begun again by the next request.
func (r *scanner) scan(key int32) (*scan, error) {
	r.mu.Lock()
	s := r.all[key]
	if s == nil {
		s = &scan{seen: make(map[look]bool)}
		r.all[key] = s
	}
	r.mu.Unlock()
	s.once.Do(func() {
		if key == nameless {
			r.readNameless(s)
		} else {
			r.readSource(s, key)
		}
		s.seen = nil
		slices.SortFunc(s.rows, func(a, b found) int { return bytes.Compare([]byte(a.subject+a.digest), []byte(b.subject+b.digest)) })
		if s.err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			delete(r.all, key)
		}
	})
	return s, s.err
}

// referring returns the rows whose subject is a digest.
func (s *scan) referring(subject compact.Digest) []found {
	begin, ok := slices.BinarySearchFunc(s.rows, subject, func(f found, subject compact.Digest) int {
		return bytes.Compare([]byte(f.subject), []byte(subject))
	})
	end := begin
	for ok && end < len(s.rows) && s.rows[end].subject == subject {
		end++
	}
	return s.rows[begin:end]
}

func (r *scanner) readNameless(s *scan) {
	var jobs errgroup.Group
	jobs.SetLimit(scanJobs)
	for _, x := range r.table.unread {
		d := compact.Digest(r.table.sum(x.sum)).Digest()
		jobs.Go(func() error { r.readSubject(s, d, x.homes, 0); return nil })
	}
	_ = jobs.Wait() // none has an error
}

func (r *scanner) readSource(s *scan, number int32) {
	var jobs errgroup.Group
	jobs.SetLimit(scanJobs)
	for _, x := range r.table.sources[number].tags {
		d := compact.Digest(r.table.sum(x.sum)).Digest()
		tag := string(r.table.tag(x))
		jobs.Go(func() error {
			r.readSubject(s, d, 0, 0)
			r.readList(s, tag, d)
			return nil
		})
	}
	_ = jobs.Wait() // none has an error
}

// readSubject adds a manifest if it is a referrer, and the children of an index that are.
// One that cannot be read refers to nothing: it is not sent either.
func (r *scanner) readSubject(s *scan, d digest.Digest, homes uint32, depth int) {
	if depth > bounds.Depth || !s.enter(look{d, homes}) {
		return
	}
	data, err := r.peek(d)
	if err != nil {
		s.fail(err)
	}
	if data == nil {
		return
	}
	m, err := oci.ParseManifest(ocispec.Descriptor{Digest: d, Size: int64(len(data))}, data)
	if err != nil {
		return
	}
	if m.Subject != nil {
		s.add(m.Subject.Digest, d, homes)
	}
	for _, child := range m.Manifests {
		r.readSubject(s, child.Digest, homes, depth+1)
	}
}

func (s *scan) enter(l look) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[l] || s.err != nil { // what is behind it is read by the next scan
		return false
	}
	s.seen[l] = true
	return true
}

// fail keeps the error of an input that cannot be reached.
func (s *scan) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *scan) add(subject, d digest.Digest, homes uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if subject := compact.Of(subject); subject != "" {
		s.rows = append(s.rows, found{subject, compact.Of(d), homes})
	}
}

// readList adds the members of a list of referrers, which a registry without the referrers
// API has under a tag.
func (r *scanner) readList(s *scan, tag string, d digest.Digest) {
	e := oci.Entry{Name: tag, Digest: d}
	members, _ := oci.ReferrersList(e, func(desc ocispec.Descriptor) ([]byte, error) {
		data, release, err := readManifest(context.Background(), r.inputs, desc.Digest)
		if err == nil {
			release() // it is decoded at once, one after the other
		}
		if store.IsPassing(err) {
			s.fail(err)
		}
		return data, err
	})
	for _, m := range members {
		s.add(m.Subject, m.Digest, 0)
	}
}

// peeked are the buffers for manifests that are looked through.
var peeked = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// peek returns the bytes of a manifest that may have a subject or children, hashed; nil for
// any other. Most have neither, and are not decoded. An error is that of an input that cannot
// be reached while no other has the manifest.
func (r *scanner) peek(d digest.Digest) (data []byte, unreached error) {
	buffer := peeked.Get().(*bytes.Buffer)
	defer peeked.Put(buffer)
	for _, in := range r.inputs {
		buffer.Reset()
		err := in.peek(d, buffer)
		text := buffer.Bytes()
		switch {
		case store.IsPassing(err):
			unreached = err
		case err != nil || len(text) > oci.MaxManifest || !bytes.Contains(text, []byte(`"subject"`)) && !bytes.Contains(text, []byte(`"manifests"`)):
		case d.Algorithm().FromBytes(text) == d:
			return bytes.Clone(text), nil
		}
	}
	return nil, unreached
}

// peek reads a manifest, or a little more than the largest one has.
func (in *Input) peek(d digest.Digest, buffer *bytes.Buffer) error {
	blob, err := in.layout.Open(d)
	if err != nil {
		return err
	}
	defer blob.Close()
	_, err = io.CopyN(buffer, blob, min(blob.Size(), oci.MaxManifest+1))
	return err
}
