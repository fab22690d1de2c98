package object

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

func newClient(t *testing.T) *bucket.Client {
	t.Helper()
	c, err := bucket.New(testbucket.Name, bucket.Options{Context: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestObject writes objects whose sizes are around those of a part, takes back some bytes, and
// reads the objects at random.
func TestObject(t *testing.T) {
	testbucket.New(t)
	client := newClient(t)
	all := make([]byte, 2*bucket.MinPart+1)
	rand.NewChaCha8([32]byte{1}).Read(all)
	for _, size := range []int{1, bucket.MinPart - 1, bucket.MinPart, bucket.MinPart + 1, len(all)} {
		want := all[:size]
		w, err := NewWriter(client, "x", 0)
		if err != nil {
			t.Fatal(err)
		}
		w.PartSize = bucket.MinPart
		write := func(p []byte) {
			if _, err := w.Write(p); err != nil {
				t.Fatal(err)
			}
		}
		write(want[:size/2])
		if err := w.Mark(); err != nil {
			t.Fatal(err)
		}
		write(all)
		if err := w.Rewind(int64(size / 2)); err != nil {
			t.Fatal(err)
		}
		write(want[size/2:])
		if err := w.Complete(); err != nil {
			t.Fatal(err)
		}

		f, err := Open(client, "x")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(f.Reader()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d differ, %v", size, len(got), err)
		}
		for _, at := range []int{0, size - 1, size / 2, size / 3, 2 * size / 3} {
			for _, n := range []int{1, smallRead, smallRead + 1, size} {
				got := make([]byte, n)
				read, err := f.ReadAt(got, int64(at))
				if end := min(at+n, size); !bytes.Equal(got[:read], want[at:end]) || (err == io.EOF) != (read < n) || err != nil && err != io.EOF {
					t.Errorf("%d bytes at %d of %d: %d, %v", n, at, size, read, err)
				}
			}
		}
	}
}

// TestObjectThatIsGivenUp has no object after Abort.
func TestObjectThatIsGivenUp(t *testing.T) {
	testbucket.New(t)
	client := newClient(t)
	w, err := NewWriter(client, "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("left")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Abort(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Open(client, "x"); !errors.As(err, new(*bucket.Error)) {
		t.Errorf("Open: %v", err)
	}
}
