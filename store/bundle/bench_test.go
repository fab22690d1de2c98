package bundle

import (
	"bytes"
	"io"
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
			for b.Loop() {
				e := NewEncoder(Gzip, BlobName("sha256:0"), int64(len(data)), func([]byte) error { return nil })
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
	archive := write(b, Gzip, []file{blobFile(data)})
	b.Run("random", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			a, err := Open(bytes.NewReader(archive), int64(len(archive)))
			if err != nil {
				b.Fatal(err)
			}
			e, err := a.Open(blobFile(data).name)
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
		}
	})
}
