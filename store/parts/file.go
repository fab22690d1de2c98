package parts

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

// Max is the largest number of parts of a bundle: their numbers have three digits.
const Max = 999

// MediaType is the media type in part.json.
const MediaType = "application/vnd.oras-mirror.part.v1+json"

// maxFile bounds part.json: a part has the end of one blob that is cut and the beginning
// of another.
const maxFile = 1 << 10

// File is the content of part.json, which tells the part of a bundle from another one.
type File struct {
	MediaType string        `json:"mediaType"`
	Set       digest.Digest `json:"set"`   // identifies the bundle and its division
	Part      int           `json:"part"`  // from 1
	Parts     int           `json:"parts"` // of the set
	Cut       []CutBlob     `json:"cut,omitempty"`
}

// CutBlob is a blob that is too large for a part.
type CutBlob struct {
	Digest digest.Digest `json:"digest"`
	Size   int64         `json:"size"`
}

// Bytes returns the file as it is written.
func (p File) Bytes() []byte {
	data, _ := json.Marshal(p) // of such a struct: cannot fail
	return append(data, '\n')
}

// String returns "part 2 of 5".
func (p File) String() string { return fmt.Sprintf("part %d of %d", p.Part, p.Parts) }

// errInvalid reports a part.json that no part of a bundle has.
var errInvalid = errors.New("its part.json is invalid")

// ReadFile reads a part.json. ours is false for the file of another tool.
func ReadFile(r io.Reader) (p File, ours bool, err error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return p, false, err
	}
	invalid := json.Unmarshal(data, &p) != nil || len(data) > maxFile
	if p.MediaType != MediaType {
		return p, false, nil
	}
	if invalid || p.check() != nil {
		return p, true, errInvalid
	}
	return p, true, nil
}

// check returns an error if no part of a bundle has such a file.
func (p File) check() error {
	if p.Part < 1 || p.Part > p.Parts || p.Parts > Max {
		return errInvalid
	}
	for _, b := range p.Cut {
		if b.Size < 0 || b.Size > oci.MaxSize {
			return errInvalid
		}
		if err := b.Digest.Validate(); err != nil {
			return err
		}
	}
	return p.Set.Validate()
}

// FileOf returns the part.json of an archive; nil if it is not a part.
func FileOf(r *bundle.Reader) (*File, error) {
	entry, err := r.Open(bundle.PartFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer entry.Close()
	p, ours, err := ReadFile(entry)
	if err != nil || !ours {
		return nil, err
	}
	return &p, nil
}
