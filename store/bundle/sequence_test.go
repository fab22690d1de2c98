package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
)

// forward is an archive whose sequences can be read only forward, as the body of a request.
type forward struct {
	*bytes.Reader
	sequences, open, reads atomic.Int64
}

func (f *forward) ReadAt(p []byte, off int64) (int, error) {
	f.reads.Add(1)
	return f.Reader.ReadAt(p, off)
}

func (f *forward) Sequence(off, end int64) Sequence {
	return &forwardSequence{archive: f, at: off, end: end}
}

// repeatable is the length of the largest read whose bytes may be read again.
const repeatable = 64 << 10

type forwardSequence struct {
	archive *forward
	begun   bool
	at, end int64
}

func (s *forwardSequence) ReadAt(p []byte, off int64) (int, error) {
	if !s.begun {
		s.begun = true
		s.archive.sequences.Add(1)
		s.archive.open.Add(1)
	}
	if off < s.at {
		return 0, fmt.Errorf("read at %d after %d", off, s.at)
	}
	if off+int64(len(p)) > s.end {
		p = p[:max(0, s.end-off)]
	}
	n, err := s.archive.Reader.ReadAt(p, off)
	s.at = off
	if len(p) > repeatable {
		s.at += int64(n)
	}
	if err == nil && off+int64(n) == s.end {
		err = io.EOF
	}
	return n, err
}

func (s *forwardSequence) Close() error {
	if s.begun {
		s.begun = false
		s.archive.open.Add(-1)
	}
	return nil
}

func openForward(t *testing.T, archive []byte) (*Reader, *forward) {
	t.Helper()
	f := &forward{Reader: bytes.NewReader(archive)}
	a, err := Open(f, int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	return a, f
}

// TestRangeIsOneSequence reads every kind of entry from a Sequencer, whole and in parts.
func TestRangeIsOneSequence(t *testing.T) {
	gz := append([]byte{0x1f, 0x8b}, random(1, 3<<20)...)
	for what, content := range map[string][]byte{
		"small": []byte("small"), "stored": gz, "deflated": bytes.Repeat([]byte("text "), 1<<19), "mixed": mixed(),
	} {
		for _, compression := range []Compression{Gzip, None} {
			f := blobFile(content)
			a, source := openForward(t, write(t, compression, []file{blobFile([]byte("before")), f, blobFile([]byte("behind"))}))
			check := func(r *Random, from, n int64, sequences int64) {
				t.Helper()
				var got bytes.Buffer
				err := r.WriteRange(&got, from, n)
				if err != nil || !bytes.Equal(got.Bytes(), content[from:from+n]) {
					t.Errorf("%s, compression %d, %d bytes at %d: got %d, %v", what, compression, n, from, got.Len(), err)
				}
				err = r.Close()
				// Behind a stored member the rest of a mixed entry is read again.
				if got := source.sequences.Swap(0); got != sequences && (what != "mixed" || got > 2) || source.reads.Swap(0) > 1 || source.open.Load() != 0 || err != nil {
					t.Errorf("%s, compression %d, %d bytes at %d: %d sequences, %d are open, %v", what, compression, n, from, got, source.open.Load(), err)
				}
			}
			source.sequences.Store(0)
			source.reads.Store(0)
			whole, err := a.OpenWhole(f.name, 0)
			if err != nil {
				t.Fatal(err)
			}
			check(whole, 0, whole.Size(), 1)
			part, err := a.OpenRandom(f.name, 0)
			if err != nil {
				t.Fatal(err)
			}
			check(part, part.Size()/2, part.Size()/2, 1)
			begun, err := a.OpenWhole(f.name, 0)
			if err != nil {
				t.Fatal(err)
			}
			check(begun, 0, 0, source.sequences.Load())
		}
	}
}

// TestRangesOfASequencerWhileOthersKeepMembers: each member is read twice, and checked first.
func TestRangesOfASequencerWhileOthersKeepMembers(t *testing.T) {
	for range cap(keeping) {
		keeping <- struct{}{}
		defer func() { <-keeping }()
	}
	content := append([]byte{0x1f, 0x8b}, random(1, 3<<20)...)
	f := blobFile(content)
	archive := write(t, Gzip, []file{f})
	a, source := openForward(t, archive)
	r, err := a.OpenRandom(f.name, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := r.WriteRange(&got, 0, r.Size()); err != nil || !bytes.Equal(got.Bytes(), content) || source.open.Load() != 0 {
		t.Errorf("%d bytes, %d sequences are open, %v", got.Len(), source.open.Load(), err)
	}
	at := bytes.Index(archive, content[2<<20:][:1000])
	archive[at] ^= 1
	got.Reset()
	if err := r.WriteRange(&got, 0, r.Size()); !errors.As(err, new(*FormatError)) || !bytes.HasPrefix(content, got.Bytes()) {
		t.Errorf("a damaged member: %d bytes, %v", got.Len(), err)
	}
}
