package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Format is a kind of YAML file and its limits, which no real file comes near. Its first key is the
// apiVersion, [APIVersion].
type Format struct {
	Noun      string // kind of the file, for messages: "spec"
	MaxBytes  int64
	MaxValues int // bounds the values that aliases unfold to
}

// Read returns the content of a file. Its error is a [*LoadError].
func (f Format) Read(path string) ([]byte, error) {
	data, err := readFile(path, f.MaxBytes+1)
	if err == nil && int64(len(data)) > f.MaxBytes {
		err = fmt.Errorf("larger than %d MiB, the limit for a %s", f.MaxBytes>>20, f.Noun)
	}
	if err == nil {
		return data, nil
	}
	return nil, loadError([]Fault{newFault(path, strictyaml.Position{}, "", withoutPath(err))})
}

// Decode fills the struct that into points to, and returns the position of every value, or nil
// if data is not a YAML document. Its error is a [*LoadError].
func (f Format) Decode(name string, data []byte, into any) (map[string]strictyaml.Position, error) {
	decoder := strictyaml.Decoder{Noun: f.Noun, Start: "apiVersion: " + APIVersion, MaxValues: f.MaxValues}
	positions, found := decoder.Decode(data, into)
	faults := make([]Fault, len(found))
	for i, fault := range found {
		faults[i] = newFault(name, fault.Position, fault.Path, fault.Err)
		faults[i].Suggestion = cmp.Or(fault.Suggestion, faults[i].Suggestion)
	}
	return positions, loadError(faults)
}

func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// withoutPath returns the cause of an error about a file that the message names already.
func withoutPath(err error) error {
	if cause, ok := errors.AsType[*os.PathError](err); ok {
		return cause.Err
	}
	return err
}
