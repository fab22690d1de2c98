package oci

import (
	"strings"

	"github.com/opencontainers/go-digest"
)

// The annotations of the index.json of a delta.
const (
	// AnnotationBase has the RootsDigest of each base, comma-separated.
	AnnotationBase = "io.github.oras-mirror.base"
	// AnnotationBaseName has the name of each base for people.
	AnnotationBaseName = "io.github.oras-mirror.base.name"
	// AnnotationDelta has the digests of the lists of the blobs that the delta has.
	AnnotationDelta = "io.github.oras-mirror.delta"
)

// IsDelta reports whether a layout with this index may leave blobs to a base.
func (x *Index) IsDelta() bool { return x.Annotations[AnnotationBase] != "" }

// Bases returns the RootsDigest of each base of a delta.
func (x *Index) Bases() []digest.Digest {
	var all []digest.Digest
	for _, d := range splitList(x.Annotations[AnnotationBase]) {
		all = append(all, digest.Digest(d))
	}
	return all
}

// DeltaLists returns the digests of the lists of a delta, which no manifest references.
func (x *Index) DeltaLists() []digest.Digest {
	var all []digest.Digest
	for _, d := range splitList(x.Annotations[AnnotationDelta]) {
		all = append(all, digest.Digest(d))
	}
	return all
}

// BaseNames returns the names of the bases of a delta; nil for a layout that is none.
func (x *Index) BaseNames() []string {
	if !x.IsDelta() {
		return nil
	}
	return splitList(x.Annotations[AnnotationBaseName])
}

// BaseName names the bases of a delta, for people.
func (x *Index) BaseName() string {
	return NamesOfBases(splitList(x.Annotations[AnnotationBaseName]))
}

func splitList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// NamesOfBases joins the names of the bases of a delta for a message: "its base" without names.
func NamesOfBases(names []string) string {
	if len(names) == 0 {
		return "its base"
	}
	return strings.Join(names, ", ")
}
