package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"

	"gopkg.in/yaml.v3"
)

// form is a kind of file that is read here: what it is called, and bounds that
// nothing honest comes near.
type form struct {
	noun   string
	bytes  int64
	values int // that a file may unfold to by aliases
}

// A hundred thousand sources fit in a spec, a million artifacts in a lock.
var (
	specForm = form{"spec", 64 << 20, 1 << 20}
	lockForm = form{"lock", 1 << 30, 1 << 25}
)

// Load reads the spec in a file. Its error is a [*LoadError] with all that is
// wrong; a file that cannot be read is the only fault then, and its cause can
// be asked for by errors.Is.
func Load(path string) (*Spec, error) {
	data, err := specForm.read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

// read returns what is in a file. Its error is a *LoadError.
func (f form) read(path string) ([]byte, error) {
	data, err := readFile(path, f.bytes+1)
	if err == nil && int64(len(data)) > f.bytes {
		err = fmt.Errorf("larger than %d MiB, the limit for a %s", f.bytes>>20, f.noun)
	}
	if err == nil {
		return data, nil
	}
	var cause *os.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	return nil, loadError([]Fault{newFault(path, position{}, "", err)})
}

func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most))
}

// Parse reads a spec from memory. The name stands in errors, and relative paths
// in the spec are relative to its folder.
func Parse(name string, data []byte) (*Spec, error) {
	spec := &Spec{file: name}
	positions, err := specForm.decode(name, data, spec)
	if err != nil {
		return nil, err
	}
	spec.positions = positions
	return spec, nil
}

// decode fills what into points to, and returns where each value stands. Its
// error is a *LoadError.
func (f form) decode(name string, data []byte, into any) (map[string]position, error) {
	root, err := f.document(data)
	if err != nil {
		var wrong *syntaxError
		errors.As(err, &wrong)
		return nil, loadError([]Fault{newFault(name, wrong.position, "", err)})
	}
	d := &decoder{form: f, file: name, positions: make(map[string]position)}
	d.decode(root, "", reflect.ValueOf(into).Elem(), false)
	return d.positions, loadError(inOrder(d.faults))
}

// document returns the one value that data is. Its error is a *syntaxError.
func (f form) document(data []byte) (*yaml.Node, error) {
	documents := &documents{data: data}
	documents.decoder = yaml.NewDecoder(documents)
	first, err := documents.next()
	if errors.Is(err, io.EOF) || err == nil && isEmpty(first) {
		return nil, &syntaxError{position{1, 1}, "empty; a " + f.noun + " starts with apiVersion: " + APIVersion}
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
	return nil, &syntaxError{position{second.Line, second.Column}, "more than one document; a file holds one " + f.noun}
}

func isEmpty(document *yaml.Node) bool {
	return len(document.Content) == 0 || document.Content[0].ShortTag() == "!!null"
}
