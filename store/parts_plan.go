package store

import (
	"errors"
	"io"
	"iter"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/parts"
)

// PartsPlan divides a bundle like Parts and writes nothing. It takes the manifests and index.json,
// because each part has a copy of them. It is not safe for concurrent use.
type PartsPlan struct {
	first    *Archive // to nowhere
	size     int64    // bytes of a part at most
	division *parts.Division
}

// PlanParts starts the plan of a bundle that Create would write in parts of o.PartSize bytes.
func PlanParts(path string, o CreateOptions) (*PartsPlan, error) {
	c, err := o.compression(path)
	if err != nil {
		return nil, &OutputError{Path: path, Err: err}
	}
	if err := checkParts(path); err != nil {
		return nil, err
	}
	return &PartsPlan{first: streamArchive(io.Discard, c), size: o.PartSize}, nil
}

// PutManifest adds a manifest, unless the bundle has it.
func (p *PartsPlan) PutManifest(desc ocispec.Descriptor, data []byte) error {
	return p.first.PutManifest(desc, data)
}

// Divide adds index.json and assigns the blobs to parts. If they do not fit, the error is a
// *parts.SizeError. It is called once, after the manifests.
func (p *PartsPlan) Divide(x *oci.Index, blobs iter.Seq[ocispec.Descriptor]) (err error) {
	if p.division != nil {
		return errors.New("the parts are planned")
	}
	if err := p.first.PutIndex(x); err != nil {
		return err
	}
	p.division, err = parts.Divide(p.first.out.Head(), p.first.index, p.first.length, p.size, blobs)
	return err
}

// Count returns the number of parts, after Divide.
func (p *PartsPlan) Count() int { return p.division.Parts }

// Needed returns the bytes that all parts take at most, after Divide.
func (p *PartsPlan) Needed() int64 { return p.division.Needed() }
