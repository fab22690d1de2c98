package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// maxValue is the most bytes that one value of a list may have: far beyond a
	// name (128 or 255 bytes) and any descriptor.
	maxValue = 1 << 20
	// maxNesting is far beyond what documents of registries have: about five.
	maxNesting = 100
)

// DocumentError says that a document of a registry is not the one that was asked
// for: it is no JSON, or it lacks the key that it must have.
type DocumentError struct {
	Wanted string // "a list of tags"
	Err    error
}

func (e *DocumentError) Error() string { return "not " + e.Wanted + ": " + e.Err.Error() }
func (e *DocumentError) Unwrap() error { return e.Err }

// document reads a JSON object from a stream and keeps nothing of it: a hostile one
// of 100 MiB needs no more memory than one of its values. What is wrong with it is
// a *DocumentError.
type document struct {
	wanted  string // what it is to be
	decoder *json.Decoder
	in      window
}

func newDocument(wanted string, r io.Reader) *document {
	d := &document{wanted: wanted, in: window{Reader: r}}
	d.decoder = json.NewDecoder(&d.in)
	return d
}

// missingKeyError is the key that a document must have and does not.
type missingKeyError string

func (e missingKeyError) Error() string { return fmt.Sprintf("it has no %q", string(e)) }

// errNoObject says that a document does not begin as a JSON object does.
var errNoObject = errors.New("it is no JSON object")

// errValueTooLong says that one value of a document is longer than any can be.
var errValueTooLong = fmt.Errorf("a value has more than %d bytes", maxValue)

// window lets the decoder read as far as end, so that it does not keep a value
// without one in memory.
type window struct {
	io.Reader
	read, end int64
}

func (w *window) Read(p []byte) (int, error) {
	if w.read >= w.end {
		return 0, errValueTooLong
	}
	n, err := w.Reader.Read(p[:min(int64(len(p)), w.end-w.read)])
	w.read += int64(n)
	return n, err
}

// extend lets the decoder read one more value.
func (d *document) extend() { d.in.end = d.decoder.InputOffset() + maxValue }

func (d *document) token() (json.Token, error) {
	d.extend()
	token, err := d.decoder.Token()
	return token, d.fail(err)
}

// decode reads the next value whole.
func (d *document) decode(v any) error {
	d.extend()
	return d.fail(d.decoder.Decode(v))
}

func (d *document) fail(err error) error {
	switch err {
	case nil:
		return nil
	case io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return &DocumentError{Wanted: d.wanted, Err: err}
}

// each calls element for every element of the array that stands under a key, and
// goes over all other keys. element reads one value. null is an empty array, as a
// server in Go writes it; an object without the key is an error. An error of
// element is returned as it is.
func (d *document) each(key string, element func() error) error {
	if first, err := d.token(); err != nil || first != json.Delim('{') {
		return d.fail(errNoObject)
	}
	found := false
	for d.more() {
		name, err := d.token()
		if err != nil {
			return err
		}
		if name != key {
			if err := d.skip(); err != nil {
				return err
			}
			continue
		}
		found = true
		if err := d.array(element); err != nil {
			return err
		}
	}
	if err := d.end(); err != nil {
		return err
	}
	if !found {
		return d.fail(missingKeyError(key))
	}
	return nil
}

// end reads the closing brace, behind which there is nothing.
func (d *document) end() error {
	if _, err := d.token(); err != nil {
		return err
	}
	d.extend()
	switch _, err := d.decoder.Token(); err {
	case io.EOF:
		return nil
	case nil:
		return d.fail(errors.New("there is more behind it"))
	default:
		return d.fail(err)
	}
}

func (d *document) array(element func() error) error {
	first, err := d.token()
	if err != nil || first == nil {
		return err
	}
	if first != json.Delim('[') {
		return d.fail(errors.New("there is no array in it"))
	}
	for d.more() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err = d.token()
	return err
}

// more reports whether the array or object goes on.
func (d *document) more() bool {
	d.extend()
	return d.decoder.More()
}

// skip goes over the next value.
func (d *document) skip() error {
	for depth := 0; ; {
		token, err := d.token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		if depth > maxNesting {
			return d.fail(fmt.Errorf("it is nested more than %d deep", maxNesting))
		}
	}
}
