// Package strictyaml decodes a YAML document into structs and reports every fault in it, with
// its position. A struct is a mapping with the keys of its yaml tags and no others. Unlike
// yaml.v3 on its own, the package accepts a value only if it is written with the right type,
// rejects empty strings, and calls the method Check(Object) of a struct as soon as it is filled.
package strictyaml

import (
	"errors"
	"io"
	"reflect"
	"strconv"

	"gopkg.in/yaml.v3"
)

// Decoder decodes one kind of file. It is safe for concurrent use.
type Decoder struct {
	Noun      string // kind of the file, for messages: "spec"
	Start     string // first line of such a file, to suggest for an empty one
	MaxValues int    // bounds the values that aliases unfold to
}

// checker is a struct that checks itself: Check reports the faults of its values to the mapping
// from which it was filled.
type checker interface{ Check(o Object) }

// Decode fills the struct that into points to. It returns the position of every value by its
// path, and every fault in the order of the document. Positions are nil if data is not one
// YAML document.
func (d Decoder) Decode(data []byte, into any) (map[string]Position, []Fault) {
	root, err := d.document(data)
	if err != nil {
		return nil, []Fault{{Position: err.position, Err: err}}
	}
	run := &decoding{Decoder: d, positions: make(map[string]Position)}
	run.decode(root, "", reflect.ValueOf(into).Elem(), false)
	return run.positions, inOrder(run.faults)
}

// document returns the root of the only document in data.
func (d Decoder) document(data []byte) (*yaml.Node, *syntaxError) {
	reader := newReader(data)
	first, err := reader.next()
	if errors.Is(err, io.EOF) || err == nil && isEmpty(first) {
		return nil, &syntaxError{Position{1, 1}, "empty; a " + d.Noun + " starts with " + d.Start}
	}
	if err != nil {
		return nil, reader.fault(err)
	}
	second, err := reader.next()
	switch {
	case errors.Is(err, io.EOF):
		return first.Content[0], nil
	case err != nil:
		return nil, reader.fault(err)
	}
	return nil, &syntaxError{Position{second.Line, second.Column}, "more than one document; a file holds one " + d.Noun}
}

func isEmpty(document *yaml.Node) bool {
	return len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null"
}

// Element returns the path of an element of a list.
func Element(path string, i int) string {
	return path + "[" + strconv.Itoa(i) + "]"
}
