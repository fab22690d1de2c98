package store

import (
	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// expect chooses the size of the parts for an archive of so many more bytes.
func (u *objectUpload) expect(bytes int64) error {
	before := u.at + int64(len(u.held))*bundlePart + int64(len(u.buffer))
	total := before + bytes + bytes/100 // members take less than a hundredth more
	need := max(bundlePart, (total+bucket.MaxParts-1)/bucket.MaxParts)
	tooLarge := u.most > 0 && need > max(u.most/bundleBuffers, bundlePart)
	tooLate := u.settled && need > u.partSize // there was no room to hold what came before
	if tooLarge || tooLate {
		return &PartError{Buffer: max(need*bundleBuffers, (before/bundlePart+2)*bundlePart*heldShare)}
	}
	return u.settle(max(need, u.partSize))
}

// heldShare is the share of the buffer that is used before the size of the archive is known:
// 1/heldShare. No blob is fetched meanwhile.
const heldShare = 2

// next makes room for more: it sends the buffer, or holds it while the size of the parts may
// still change.
func (u *objectUpload) next() error {
	if u.settled {
		return u.send()
	}
	room := u.most == 0 || int64(len(u.held)+2)*bundlePart <= u.most/heldShare
	if room && bounds.Take(bundlePart) == nil {
		u.held, u.buffer = append(u.held, u.buffer), nil
		return nil
	}
	return u.settle(u.partSize)
}

// settle makes the size of the parts final, and sends what was held.
func (u *objectUpload) settle(partSize int64) error {
	if u.settled {
		return nil
	}
	held, last := u.held, u.buffer
	u.settled, u.partSize, u.held, u.buffer = true, partSize, nil, nil
	defer bounds.Give(int64(len(held)) * bundlePart)
	for i, piece := range held {
		held[i] = nil
		if _, err := u.Write(piece); err != nil {
			return err
		}
	}
	_, err := u.Write(last)
	return err
}

// forget frees what was held.
func (u *objectUpload) forget() {
	bounds.Give(int64(len(u.held)) * bundlePart)
	u.held = nil
}
