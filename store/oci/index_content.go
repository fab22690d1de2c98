package oci

import "crypto/sha256"

// IndexContent is index.json as it is sent: the text of 100,000 entries is 40 MB, so it is not
// kept. It is written once for its size and digest, and once more each time that it is sent.
type IndexContent struct {
	*Index
	size int64
	sum  [sha256.Size]byte
}

// NewIndexContent returns the text of an index that does not change any more.
func NewIndexContent(index *Index) (*IndexContent, error) {
	sum := sha256.New()
	size, err := index.WriteTo(sum)
	if err != nil {
		return nil, err
	}
	return &IndexContent{index, size, [sha256.Size]byte(sum.Sum(nil))}, nil
}

// Size returns the number of bytes.
func (t *IndexContent) Size() int64 { return t.size }

// SHA256 returns the sum of the bytes.
func (t *IndexContent) SHA256() [sha256.Size]byte { return t.sum }
