// Package discover finds the images that Kubernetes manifests name: those of containers and of
// image volumes, in objects of any kind, and those that kustomizations put in their place.
//
// It is pure: from the bytes of files to names with the file and the line where each stands.
package discover

import (
	"cmp"
	"fmt"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// File is a file of manifests, in YAML or JSON.
type File struct {
	Name string // with slashes; kustomizations refer to other files relative to it
	Data []byte
}

// Place is the position of a value in a file.
type Place struct {
	File   string
	Line   int    // from 1; 0 if unknown
	Column int    // from 1
	Object string // kind and name of the object: "Deployment web"; "" in a document without a kind
	Path   string // of the value in the object: "spec.containers[0].image"; "" for the object
}

// Image is an image that a cluster would run.
type Image struct {
	Name string // as Kubernetes would read it, such as nginx:1.25
	Place
	fixed bool // kustomize does not replace it
}

// Skipped is a field that looks as if it named an image, but is not known to.
type Skipped struct {
	Name   string
	Reason string // "" for a field of an unknown kind
	Place
}

// String returns the place and the value: "a.yaml:3: Grafana main: spec.image: \"grafana:11\"".
func (s Skipped) String() string {
	text := fmt.Sprintf("%s:%d: ", s.File, s.Line)
	for _, part := range []string{s.Object, s.Path} {
		if part != "" {
			text += part + ": "
		}
	}
	if s.Name != "" {
		text += strconv.Quote(s.Name)
	}
	if s.Name != "" && s.Reason != "" {
		text += ": "
	}
	return text + s.Reason
}

// Fault is a fault in a file.
type Fault struct {
	Place
	Err error
}

// Found is everything that Find finds, each list in the order of the files.
type Found struct {
	Images  []Image
	Skipped []Skipped
	Faults  []Fault
}

// Find finds the images in files. A file that a kustomization among them uses counts only with
// the images that the kustomization gives it.
func Find(files iter.Seq[File]) *Found {
	b := newBuild()
	for f := range files {
		b.read(f)
	}
	return b.found()
}

// manifest holds the images of one file.
type manifest struct {
	file           string
	images         []Image
	kustomizations []*kustomization
}

// read adds a file.
func (b *build) read(f File) {
	m := &manifest{file: f.Name}
	b.add(m, path.Clean(f.Name))
	unparsed := 0
	for d, fault := range strictyaml.Documents(f.Data) {
		if fault == nil {
			newWalk(b, m, d.Before).document(d)
			continue
		}
		if unparsed += b.unparsed(f, fault); unparsed >= maxUnparsed {
			return
		}
	}
}

// maxUnparsed bounds the faults of the parser in one file. One that is no YAML may have as many
// as lines, and each takes a while to find.
const maxUnparsed = 10

// unparsed adds a document that is not YAML, and returns how many of them it stands for: a
// template is reported once.
func (b *build) unparsed(f File, fault *strictyaml.Fault) int {
	at := Place{File: f.Name, Line: fault.Position.Line, Column: fault.Position.Column}
	err := templateOr(f.Data, fault.Position.Line, fault.Err)
	b.result.Faults = append(b.result.Faults, Fault{at, err})
	if _, ok := err.(*TemplateError); ok {
		return maxUnparsed
	}
	return 1
}

// inOrder sorts faults and skipped fields by file and line, and removes those that occur twice
// or name an image that is found through an alias.
func (f *Found) inOrder() {
	named := make(map[Place]bool)
	for _, i := range f.Images {
		named[i.Place.position()] = true
	}
	f.Skipped = slices.DeleteFunc(f.Skipped, func(s Skipped) bool { return named[s.Place.position()] })
	slices.SortStableFunc(f.Faults, func(a, b Fault) int { return a.Place.Compare(b.Place) })
	f.Faults = slices.CompactFunc(f.Faults, func(a, b Fault) bool { return a.Place == b.Place && a.Err.Error() == b.Err.Error() })
	slices.SortStableFunc(f.Skipped, func(a, b Skipped) int { return a.Place.Compare(b.Place) })
	f.Skipped = slices.Compact(f.Skipped)
}

// Compare orders places by file, line and column.
func (p Place) Compare(other Place) int {
	return cmp.Or(strings.Compare(p.File, other.File), p.Line-other.Line, p.Column-other.Column)
}

// position returns the place without what it is in: an alias makes one place part of several
// values.
func (p Place) position() Place { return Place{File: p.File, Line: p.Line, Column: p.Column} }
