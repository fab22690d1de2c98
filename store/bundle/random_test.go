package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

// mixed is content that a deflated entry stores in its first member and deflates behind it.
func mixed() []byte { return append(random(7, 1<<20), bytes.Repeat([]byte("zeros"), 1<<19)...) }

func TestRangesOfAnEntry(t *testing.T) { checkRanges(t) }

// TestRangesWhileOthersKeepMembers: with slow readers of many other entries.
func TestRangesWhileOthersKeepMembers(t *testing.T) {
	for range cap(keeping) {
		keeping <- struct{}{}
		defer func() { <-keeping }()
	}
	checkRanges(t)
	checkDamagedMember(t)
}

func checkRanges(t *testing.T) {
	t.Helper()
	gz := append([]byte{0x1f, 0x8b}, random(1, 3<<20)...)
	var got bytes.Buffer
	for what, content := range map[string][]byte{
		"empty": {}, "small": []byte("small"), "stored": gz, "stored, to the end of a member": gz[:2<<20-tarBlock],
		"deflated": bytes.Repeat([]byte("text "), 1<<19), "mixed": mixed(),
	} {
		for _, compression := range []Compression{Gzip, None} {
			f := blobFile(content)
			a := open(t, write(t, compression, []file{blobFile([]byte("before")), f, blobFile([]byte("behind"))}))
			r, err := a.OpenRandom(f.name, 0)
			if err != nil || r.Size() != int64(len(content)) {
				t.Fatal(what, err)
			}
			size := r.Size()
			for _, from := range []int64{0, 1, storedBlock - 513, storedBlock - 512, 1<<20 - 513, 1<<20 - 512, 1<<20 - 511, 2<<20 - 512, size - 1} {
				for _, n := range []int64{0, 1, 2, 70_000, 1 << 20, size - from} {
					if from < 0 || n < 0 || from+n > size {
						continue
					}
					got.Reset()
					if err := r.WriteRange(&got, from, n); err != nil || !bytes.Equal(got.Bytes(), content[from:from+n]) {
						t.Fatalf("%s, compression %d, %d bytes at %d: got %d, %v", what, compression, n, from, got.Len(), err)
					}
				}
			}
		}
	}
}

// TestDamagedMemberIsNotWritten: not a byte of it, in any range.
func TestDamagedMemberIsNotWritten(t *testing.T) { checkDamagedMember(t) }

func checkDamagedMember(t *testing.T) {
	t.Helper()
	for what, content := range map[string][]byte{"stored": append([]byte{0x1f, 0x8b}, random(2, 3<<20)...), "deflated": bytes.Repeat(random(3, 300), 10_000)} {
		f := blobFile(content)
		archive := write(t, Gzip, []file{f})
		place, _ := open(t, archive).directory.find(f.name)
		first, err := memberAt(bytes.NewReader(archive), int64(len(archive)), place.offset)
		if err != nil {
			t.Fatal(err)
		}
		archive[place.offset+first.length+first.length/2] ^= 1 // in the second member
		r, err := open(t, archive).OpenRandom(f.name, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		err = r.WriteRange(&got, 0, r.Size())
		var format *FormatError
		if !errors.As(err, &format) || got.Len() != memberData-tarBlock {
			t.Errorf("%s: %d bytes, %v", what, got.Len(), err)
		}
		got.Reset()
		if err := r.WriteRange(&got, 2<<20, 1000); err != nil || !bytes.Equal(got.Bytes(), content[2<<20:2<<20+1000]) {
			t.Errorf("%s, behind it: %v", what, err)
		}
	}
	if _, err := open(t, write(t, Gzip, nil)).OpenRandom("blobs/sha256/x", 0); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func BenchmarkRandom(b *testing.B) {
	content := append([]byte{0x1f, 0x8b}, random(1, 64<<20)...)
	f := blobFile(content)
	archive := write(b, Gzip, []file{f})
	a, err := Open(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int64{1 << 10, int64(len(content))} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(n)
			for b.Loop() {
				r, err := a.OpenRandom(f.name, 0)
				if err == nil {
					err = r.WriteRange(discard{}, int64(len(content))-n, n)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
