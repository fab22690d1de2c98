// Package delta describes layouts that leave blobs to others, their bases: the lists of the blobs
// that a delta has, and which of several layouts is a base of another.
package delta

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/compact"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Delta describes a layout whose manifests are complete, and whose blobs are only those
// that its bases lack: it lists the blobs that it has, and leaves all others to them.
type Delta struct {
	Bases []digest.Digest // the RootsDigest of each
	Names []string        // of the bases, for people
	Lists []digest.Digest // the blobs that have the lists; they are in the layout, too

	memory    int64 // accounted for what follows
	held      map[compact.Digest]bool
	elsewhere map[compact.Digest]string
}

// Error says that a list of a delta cannot be read.
type Error struct {
	List digest.Digest
	Err  error
}

func (e *Error) Error() string {
	if errors.Is(e.Err, fs.ErrNotExist) {
		return "the list of the blobs of this delta is missing: " + e.List.String()
	}
	const text = "the list of the blobs of this delta is damaged: "
	if _, named := errors.AsType[*oci.MismatchError](e.Err); named {
		return text + e.Err.Error()
	}
	return text + e.List.String() + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// maxLists bounds the lists of a delta: as many as a million blobs need.
const maxLists = 1000

// Read reads the lists of a delta with read; it returns nil for an index of a layout that is none. If
// a list is missing or damaged, the error is an *Error, and the delta lists what could be read.
func Read(x *oci.Index, read func(digest.Digest) ([]byte, error)) (*Delta, error) {
	if !x.IsDelta() {
		return nil, nil
	}
	d := &Delta{Bases: x.Bases(), Names: x.BaseNames(), Lists: x.DeltaLists()}
	if len(d.Lists) > maxLists {
		return d, &Error{List: d.Lists[maxLists], Err: fmt.Errorf("more than %d lists", maxLists)}
	}
	var errs []error
	for _, list := range d.Lists {
		if err := d.readList(list, read); err != nil {
			errs = append(errs, &Error{List: list, Err: err})
		}
	}
	return d, errors.Join(errs...)
}

func (d *Delta) readList(list digest.Digest, read func(digest.Digest) ([]byte, error)) error {
	if err := list.Validate(); err != nil {
		return err
	}
	data, err := read(list)
	if err != nil {
		return err
	}
	if err := oci.CheckContent(ocispec.Descriptor{Digest: list, Size: int64(len(data))}, data); err != nil {
		return err
	}
	return d.parseList(data)
}

// Release returns the memory of a delta, which may be nil, that is no longer needed.
func (d *Delta) Release() {
	if d != nil {
		bounds.Give(d.memory)
		d.memory, d.held, d.elsewhere = 0, nil, nil
	}
}

// Holds reports whether the delta lists a blob as its own.
func (d *Delta) Holds(blob digest.Digest) bool { return d.held[compact.Of(blob)] }

// Repository returns a repository, REGISTRY/PATH, in which the base has a blob; "" if one
// of those that need the blob in this delta is among them.
func (d *Delta) Repository(blob digest.Digest) string { return d.elsewhere[compact.Of(blob)] }

// Held lists the blobs that the delta has, sorted.
func (d *Delta) Held() []digest.Digest {
	all := make([]digest.Digest, 0, len(d.held))
	for blob := range d.held {
		all = append(all, blob.Digest())
	}
	slices.Sort(all)
	return all
}

// Elsewhere maps blobs to the repositories that Repository returns.
func (d *Delta) Elsewhere() map[digest.Digest]string {
	all := make(map[digest.Digest]string, len(d.elsewhere))
	for blob, repository := range d.elsewhere {
		all[blob.Digest()] = repository
	}
	return all
}

// Name names the bases, for people.
func (d *Delta) Name() string { return oci.NamesOfBases(d.Names) }

// listedMemory is the memory of a blob in a list, and elsewhereMemory that of one with a
// repository.
const (
	listedMemory    = 120
	elsewhereMemory = 200
)

// Add adds what a list says to a delta, whose Lists stay as they are.
func (d *Delta) Add(c Content) error {
	blobs, elsewhere := c.Blobs, c.Elsewhere
	if d.held == nil {
		d.held, d.elsewhere = make(map[compact.Digest]bool), make(map[compact.Digest]string)
	}
	memory := int64(listedMemory*len(blobs) + elsewhereMemory*len(elsewhere))
	if err := bounds.Take(memory); err != nil {
		return err
	}
	d.memory += memory
	for _, blob := range slices.Concat(blobs, slices.Collect(maps.Keys(elsewhere))) {
		if compact.Of(blob) == "" {
			return fmt.Errorf("invalid digest %.200q", blob)
		}
	}
	for _, blob := range blobs {
		d.held[compact.Of(blob)] = true
	}
	for blob, repository := range elsewhere {
		d.elsewhere[compact.Of(blob)] = repository
	}
	return nil
}

// Leaves reports whether a delta, which may be nil, leaves a blob to its base. It leaves no
// manifest.
func (d *Delta) Leaves(desc ocispec.Descriptor) bool {
	return d != nil && !oci.IsManifest(desc.MediaType) && !d.Holds(desc.Digest)
}

// Mark makes an index that of a delta, with its bases and its lists.
func (d *Delta) Mark(x *oci.Index) {
	names := make([]string, len(d.Names))
	for i, name := range d.Names {
		names[i] = strings.ReplaceAll(name, ",", " ")
	}
	x.Annotate(map[string]string{
		oci.AnnotationBase:     strings.Join(texts(d.Bases), ","),
		oci.AnnotationBaseName: strings.Join(names, ","),
		oci.AnnotationDelta:    strings.Join(texts(d.Lists), ","),
	})
}

func texts(all []digest.Digest) []string {
	list := make([]string, len(all))
	for i, d := range all {
		list[i] = string(d)
	}
	return list
}

// IsList reports whether a blob is a list of the delta, which may be nil.
func (d *Delta) IsList(blob digest.Digest) bool { return d != nil && slices.Contains(d.Lists, blob) }
