package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"gopkg.in/yaml.v3"
)

// maxSpec bounds what is read as a spec. A hundred thousand sources fit.
const maxSpec = 64 << 20

// Load reads the spec in a file. Its error is a [*LoadError] with all that is
// wrong; a file that cannot be read is the only fault then, and its cause can
// be asked for by errors.Is.
func Load(path string) (*Spec, error) {
	data, err := readFile(path)
	if err != nil {
		var cause *os.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, loadError([]Fault{newFault(path, place{}, "", err)})
	}
	return Parse(path, data)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSpec+1))
	if err == nil && len(data) > maxSpec {
		err = fmt.Errorf("larger than %d MiB, which no spec is", maxSpec>>20)
	}
	return data, err
}

// Parse reads a spec from memory. The name stands in errors, and relative paths
// in the spec are relative to its folder.
func Parse(name string, data []byte) (*Spec, error) {
	root, err := readDocument(data)
	if err != nil {
		var wrong *syntaxError
		errors.As(err, &wrong)
		return nil, loadError([]Fault{newFault(name, wrong.place, "", err)})
	}
	d := &decoder{file: name, places: make(map[string]place)}
	spec := &Spec{name: name, places: d.places}
	d.decode(root, "", reflect.ValueOf(spec).Elem(), false)
	if len(d.faults) > 0 {
		return nil, loadError(inOrder(d.faults))
	}
	return spec, nil
}

// readDocument returns the one value that data is. Its error is a
// *syntaxError.
func readDocument(data []byte) (*yaml.Node, error) {
	documents := &documents{data: data}
	documents.decoder = yaml.NewDecoder(documents)
	first, err := documents.next()
	if errors.Is(err, io.EOF) || err == nil && isEmpty(first) {
		return nil, &syntaxError{place{1, 1}, "empty; a spec begins with apiVersion: " + APIVersion}
	}
	if err != nil {
		return nil, err
	}
	second, err := documents.next()
	switch {
	case errors.Is(err, io.EOF):
		return first.Content[0], nil
	case err != nil:
		return nil, err
	}
	return nil, &syntaxError{place{second.Line, second.Column}, "a second document; a file holds one spec"}
}

func isEmpty(document *yaml.Node) bool {
	return len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null"
}
