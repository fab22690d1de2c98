package bundle

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestMaxSizeIsNeverExceeded writes content that does not compress.
func TestMaxSizeIsNeverExceeded(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, sizes := range [][]int{{0}, {1}, {511, 512, 513}, {1<<20 - 512, 1 << 20, 1<<20 + 1}, {5 << 20, 3}} {
		var contents [][]byte
		var total int64
		for _, size := range sizes {
			data := make([]byte, size)
			for k := range data {
				data[k] = byte(random.Uint32())
			}
			contents = append(contents, data)
			total += int64(size)
		}
		for _, compression := range []Compression{Gzip, None} {
			if got, most := int64(sizeOfArchive(t, compression, contents)), MaxSize(len(sizes), total)+16<<10; got > most {
				t.Errorf("%v in %v: %d bytes, at most %d expected", sizes, compression, got, most)
			}
		}
	}
}

func sizeOfArchive(t *testing.T, compression Compression, contents [][]byte) int {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, compression)
	for i, data := range contents {
		if err := w.Put(fmt.Sprintf("blobs/sha256/%064d", i), data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}
