// Package migrate turns the specs of other tools into a mirror spec: those of hauler,
// oc-mirror, regsync, skopeo sync and flux-mirror, and lists of images.
//
// [Read] recognizes the format by the content. What a mirror spec cannot say becomes a
// [Note]: never a guess, and never a selection that is wider than the one that was meant.
// Credentials are not read. The package opens no connection and no other file.
package migrate

import (
	"fmt"
)

// Note is something in a file that the mirror spec does not say, or says in another way.
type Note struct {
	Line int    // in the file
	Key  string // where, such as sync[0].schedule; "" in a list
	Text string
	More int // further places with the same text
}

func (n Note) String() string {
	text := n.Text
	if n.Key != "" {
		text = n.Key + ": " + text
	}
	if n.More > 0 {
		text += fmt.Sprintf(" (and %d more)", n.More)
	}
	return text
}

// Result is a file of another tool in the terms of a mirror spec.
type Result struct {
	Format Format
	Notes  []Note // by line

	sources    []source
	registries []registry
	routes     []route
	keep       bool // existing tags stay as they are in the targets
	met        map[string]bool
}

// Sources returns how many sources the spec has.
func (r *Result) Sources() int {
	n := 0
	for _, s := range r.sources {
		if s.unsaid == "" {
			n++
		}
	}
	return n
}

// Read converts a file. The name stands for the file in errors, which are an
// [*UnknownError] or a [*SyntaxError].
func Read(name string, data []byte) (*Result, error) {
	f, err := recognize(name, data)
	if err != nil {
		return nil, err
	}
	r := &reader{keys: keysOf(f.format), met: make(map[string]bool), added: make(map[string]bool)}
	r.result.Format = f.format
	if f.format == List {
		r.list(data, f.roots)
	}
	for _, root := range f.roots {
		r.before = root.Before
		switch f.format {
		case Hauler:
			r.hauler(r.object(root.Root, "", ""))
		case OCMirror:
			r.ocMirror(r.object(root.Root, "", ""))
		case Regsync:
			r.regsync(r.object(root.Root, "", ""))
		case Skopeo:
			r.skopeo(r.object(root.Root, "", ""))
		case FluxMirror:
			r.fluxMirror(r.object(root.Root, "", ""))
		}
	}
	if r.values > maxValues {
		return nil, &SyntaxError{File: name, Err: errTooLarge}
	}
	r.finish()
	r.result.met = r.met
	return &r.result, nil
}
