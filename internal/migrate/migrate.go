// Package migrate turns the specs of other tools into a mirror spec: those of hauler,
// oc-mirror, regsync, skopeo sync and flux-mirror, and lists of images.
//
// [Read] recognizes the format by the content. What a mirror spec cannot say becomes a
// [document.Note]: never a guess, and never a selection that is wider than the one that was meant.
// Credentials are not read. The package opens no connection and no other file.
package migrate

import (
	"fmt"

	"github.com/oras-mirror/oras-mirror/internal/migrate/document"
	"github.com/oras-mirror/oras-mirror/internal/migrate/draft"
)

// Result is a file of another tool in the terms of a mirror spec.
type Result struct {
	Format Format
	Notes  []document.Note // by line

	spec draft.Spec
	met  map[string]bool // the keys that the file has
}

// Sources returns how many sources the spec has.
func (r *Result) Sources() int { return r.spec.Count() }

// Spec returns the mirror spec as text. The name of the file that was read stands in its
// comments.
func (r *Result) Spec(name string) string {
	return r.spec.Text(fmt.Sprintf("From %s (%s).", document.Comment(name), r.Format), r.Notes)
}

// Read converts a file. The name stands for the file in errors, which are an
// [*UnknownError] or a [*SyntaxError].
func Read(name string, data []byte) (*Result, error) {
	f, err := recognize(name, data)
	if err != nil {
		return nil, err
	}
	r := &reader{Reader: document.NewReader(Keys(f.format))}
	if f.format == List {
		r.list(data, f.roots)
	} else {
		for _, root := range f.roots {
			r.read(f.format, r.Mapping(root))
		}
	}
	if r.TooLarge() {
		return nil, &SyntaxError{File: name, Err: errTooLarge}
	}
	return &Result{Format: f.format, Notes: document.JoinNotes(append(r.Notes, r.spec.Check()...)), spec: r.spec, met: r.Met}, nil
}

// read reads a document of a format.
func (r *reader) read(format Format, root *document.Object) {
	switch format {
	case Hauler:
		r.hauler(root)
	case OCMirror:
		r.ocMirror(root)
	case Regsync:
		r.regsync(root)
	case Skopeo:
		r.skopeo(root)
	case FluxMirror:
		r.fluxMirror(root)
	}
}
