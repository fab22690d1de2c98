package store

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// partsRun writes a sample in parts. It stops after stop bytes of blobs, if that is not 0.
type partsRun struct {
	*Parts
	rest int64 // before it stops
}

func (r *partsRun) Write(p []byte) (int, error) {
	if r.rest > 0 && r.rest <= int64(len(p)) {
		p = p[:r.rest]
		n, err := r.Parts.Write(p)
		return n, cmpErr(err, errStop)
	}
	r.rest = max(0, r.rest-int64(len(p)))
	return r.Parts.Write(p)
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func newParts(t *testing.T, path string, size int64) *Parts {
	t.Helper()
	d, err := Create(path, CreateOptions{PartSize: size})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d.(*Parts)
}

// start writes the manifests and the index of a sample, and announces the blobs of a plan.
func (s *sample) start(t *testing.T, p *Parts, plan []item) error {
	t.Helper()
	for _, m := range s.manifests {
		if err := p.PutManifest(m.desc, m.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.PutIndex(s.index); err != nil {
		t.Fatal(err)
	}
	var all []ocispec.Descriptor
	for _, b := range plan {
		all = append(all, b.desc)
	}
	return p.Expect(slices.Values(all))
}

// writeParts writes all of a sample but its end, and returns the bytes that were not there.
func (s *sample) writeParts(t *testing.T, p *Parts, stop int64) (fresh int64, err error) {
	t.Helper()
	if err := s.start(t, p, s.blobs); err != nil {
		return 0, err
	}
	run := &partsRun{p, stop}
	resuming := true
	for _, b := range s.blobs {
		n, err := run.put(b, &resuming)
		if fresh += n; err != nil {
			return fresh, err
		}
	}
	return fresh, nil
}

func (r *partsRun) put(b item, resuming *bool) (fresh int64, err error) {
	var skip int64
	var head io.ReadCloser
	if *resuming {
		stored, err := r.Stored(b.desc)
		if err != nil || stored {
			return 0, err
		}
		*resuming = false
		if head, skip, err = r.Continue(b.desc); err != nil {
			return 0, err
		}
	}
	had := 0
	if head != nil {
		got, err := io.ReadAll(head)
		if err := cmpErr(err, head.Close()); err != nil {
			return 0, err
		}
		if !bytes.HasPrefix(b.data, got) {
			return 0, fmt.Errorf("%d other bytes are there", len(got))
		}
		had = len(got)
	} else if err := r.Begin(b.desc); err != nil {
		return 0, err
	}
	e := r.Encoder(b.desc, func(p []byte) error {
		n := min(skip, int64(len(p)))
		skip -= n
		if p = p[n:]; len(p) == 0 {
			return nil
		}
		_, err := r.Write(p)
		return err
	})
	for rest := b.data; len(rest) > 0; {
		n := min(len(rest), 30_000)
		if _, err := e.Write(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	if err := e.Close(); err != nil {
		return 0, err
	}
	return int64(len(b.data) - had), r.End()
}

func commitParts(t *testing.T, p *Parts, incomplete bool) string {
	t.Helper()
	path, err := p.Commit(incomplete)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// folderOf returns the files of a folder with their contents.
func folderOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, name := range names(t, folder) {
		all[name] = string(readFile(t, filepath.Join(folder, name)))
	}
	return all
}

// partSamples have blobs that are cut into two pieces and more, in the middle and at the ends.
func partSample(t *testing.T) *sample {
	t.Helper()
	s := sampleWith(t, 100_003)
	large := s.image(t, "large", nil, layer(7, 2<<20+11), bytes.Repeat([]byte("text"), 100_000), layer(8, 30_000))
	s.put(large, "example.com/app:large")
	return s
}

// kill flushes what the system would have, and unlocks the files, as a killed process does.
func kill(t *testing.T, p *Parts) {
	t.Helper()
	for _, part := range p.parts {
		if err := part.medium.leave(); err != nil {
			t.Fatal(err)
		}
		part.closed = true
	}
	p.closed = true
}

func equalFolders(t *testing.T, got, want map[string]string) bool {
	t.Helper()
	for name, data := range want {
		if got[name] != data {
			t.Errorf("%s has %d bytes, want %d", name, len(got[name]), len(data))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("found %s", name)
		}
	}
	return !t.Failed()
}

// announce writes the beginning of parts and the first blobs of a plan.
func (s *sample) announce(t *testing.T, p *Parts, plan []item) (int64, error) {
	t.Helper()
	if err := s.start(t, p, plan); err != nil {
		return 0, err
	}
	over := false
	for _, b := range s.blobs {
		if _, err := (&partsRun{Parts: p}).put(b, &over); err != nil {
			return 0, err
		}
	}
	return 0, nil
}
