package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

const (
	// maxValue bounds the bytes of one value of a list: far more than a name (128 or
	// 255 bytes) and any descriptor.
	maxValue = 1 << 20
	// maxNesting is far more than documents of registries have: about five.
	maxNesting = 100
)

// DocumentError is the error for a document of a registry that is not the requested
// one: it is not JSON, or it lacks a required key.
type DocumentError struct {
	Wanted string // "a list of tags"
	Err    error
}

func (e *DocumentError) Error() string { return "not " + e.Wanted + ": " + e.Err.Error() }
func (e *DocumentError) Unwrap() error { return e.Err }

// document reads a JSON object from a stream and keeps nothing of it: a hostile one
// of 100 MiB needs no more memory than one of its values. All its errors are of type
// *DocumentError.
type document struct {
	wanted  string // for errors: "a list of tags"
	decoder *json.Decoder
	in      window
}

func newDocument(wanted string, r io.Reader) *document {
	d := &document{wanted: wanted, in: window{Reader: r}}
	d.decoder = json.NewDecoder(&d.in)
	return d
}

// missingKeyError is a required key that a document lacks.
type missingKeyError string

func (e missingKeyError) Error() string { return fmt.Sprintf("missing key %q", string(e)) }

// errNoObject is the error for a document that does not begin like a JSON object.
var errNoObject = errors.New("not a JSON object")

// errValueTooLong is the error for a value that is longer than maxValue.
var errValueTooLong = fmt.Errorf("a value has more than %d bytes", maxValue)

// window lets the decoder read only as far as end, so that it never keeps a value
// without an end in memory.
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

// each calls element for every element of the array under a key, and skips all other
// keys. element reads one value. null counts as an empty array, as a server in Go
// writes it; an object without the key is an error. each returns an error of element
// unchanged.
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

// end reads the closing brace. It is an error if anything follows.
func (d *document) end() error {
	if _, err := d.token(); err != nil {
		return err
	}
	d.extend()
	switch _, err := d.decoder.Token(); err {
	case io.EOF:
		return nil
	case nil:
		return d.fail(errors.New("unexpected data after the object"))
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
		return d.fail(errors.New("its value is not an array"))
	}
	for d.more() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err = d.token()
	return err
}

// more reports whether the array or object has another element.
func (d *document) more() bool {
	d.extend()
	return d.decoder.More()
}

// skip skips the next value.
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
			return d.fail(fmt.Errorf("nested more than %d levels deep", maxNesting))
		}
	}
}
