package bundle

import (
	"bytes"
	"io"
	"strconv"
	"testing"
)

func BenchmarkEncode(b *testing.B) {
	contents := map[string][]byte{
		"stored":   append([]byte{0x1f, 0x8b}, random(1, 16<<20)...),
		"deflated": bytes.Repeat([]byte(`{"mediaType":"application/json","size":12345},`), 400_000),
	}
	for name, data := range contents {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			entry := blobFile(data).name
			for b.Loop() {
				e := NewEncoder(Gzip, entry, int64(len(data)), func([]byte) error { return nil })
				for rest := data; len(rest) > 0; rest = rest[min(len(rest), 64<<10):] {
					if _, err := e.Write(rest[:min(len(rest), 64<<10)]); err != nil {
						b.Fatal(err)
					}
				}
				if err := e.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	data := append([]byte{0x1f, 0x8b}, random(1, 16<<20)...)
	f := blobFile(data)
	archive := write(b, Gzip, []file{f})
	b.Run("random", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			a, err := Open(bytes.NewReader(archive), int64(len(archive)))
			if err != nil {
				b.Fatal(err)
			}
			e, err := a.Open(f.name)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, e); err != nil {
				b.Fatal(err)
			}
			_ = e.Close()
		}
	})
	b.Run("stream", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			s, err := NewStream(bytes.NewReader(archive))
			if err != nil {
				b.Fatal(err)
			}
			for _, _, err = s.Next(); err == nil; _, _, err = s.Next() {
				if _, err := io.Copy(io.Discard, s); err != nil {
					b.Fatal(err)
				}
			}
			_ = s.Close()
		}
	})
}

// BenchmarkOpen is the opening of a bundle of 100,000 entries, and where it has
// no table.
func BenchmarkOpen(b *testing.B) {
	const entries = 100_000
	var out bytes.Buffer
	w := NewWriter(&out, Gzip)
	for i := range entries {
		if err := w.Put(blobFile([]byte(strconv.Itoa(i))).name, []byte(strconv.Itoa(i))); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	archive := out.Bytes()
	for name, p := range map[string][]byte{"table": archive, "walk": withoutTable(archive)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Open(bytes.NewReader(p), int64(len(p))); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/entries, "ns/entry")
		})
	}
}
