package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// MaxParts is the largest number of parts of a bundle: their numbers have three digits.
const MaxParts = 999

// mediaTypePart is the media type in part.json.
const mediaTypePart = "application/vnd.oras-mirror.part.v1+json"

// maxPartFile bounds part.json: a part has the end of one blob that is cut and the beginning
// of another.
const maxPartFile = 1 << 10

// partFile is the content of part.json, which tells the part of a bundle from another one.
type partFile struct {
	MediaType string        `json:"mediaType"`
	Set       digest.Digest `json:"set"`   // identifies the bundle and its division
	Part      int           `json:"part"`  // from 1
	Parts     int           `json:"parts"` // of the set
	Cut       []dividedBlob `json:"cut,omitempty"`
}

// dividedBlob is a blob that is too large for a part.
type dividedBlob struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
}

func (p partFile) bytes() []byte {
	data, _ := json.Marshal(p) // of such a struct: cannot fail
	return append(data, '\n')
}

// String returns "part 2 of 5".
func (p partFile) String() string { return fmt.Sprintf("part %d of %d", p.Part, p.Parts) }

// errPartFile reports a part.json that no part of a bundle has.
var errPartFile = errors.New("its part.json is invalid")

// readPartFile reads a part.json. ours is false for the file of another tool.
func readPartFile(r io.Reader) (p partFile, ours bool, err error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPartFile+1))
	if err != nil {
		return p, false, err
	}
	invalid := json.Unmarshal(data, &p) != nil || len(data) > maxPartFile
	if p.MediaType != mediaTypePart {
		return p, false, nil
	}
	if invalid || p.check() != nil {
		return p, true, errPartFile
	}
	return p, true, nil
}

func (p partFile) check() error {
	if p.Part < 1 || p.Part > p.Parts || p.Parts > MaxParts {
		return errPartFile
	}
	for _, b := range p.Cut {
		if b.Size < 0 || b.Size > oci.MaxSize {
			return errPartFile
		}
		if err := b.Digest.Validate(); err != nil {
			return err
		}
	}
	return p.Set.Validate()
}

// entryReader opens the entries of an archive by their names.
type entryReader interface {
	Open(name string) (*bundle.Entry, error)
}

// readPart returns the part.json of an archive; nil if it is not a part.
func readPart(r entryReader) (*partFile, error) {
	entry, err := r.Open(bundle.PartFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer entry.Close()
	p, ours, err := readPartFile(entry)
	if err != nil || !ours {
		return nil, err
	}
	return &p, nil
}
