package statement

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// FormatError reports a file that is not a statement of ours.
type FormatError struct {
	Path string
	Err  error
}

func (e *FormatError) Error() string {
	return e.Path + ": not a statement about a bundle: " + e.Err.Error()
}

func (e *FormatError) Unwrap() error { return e.Err }

// rootMemory is the memory, in bytes, of an artifact or a referrer of a statement.
const rootMemory = 400

// Read reads the statement in a file. What is invalid in it is a *FormatError.
func Read(path string) (*Content, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := &reader{decoder: json.NewDecoder(bufio.NewReader(f)), content: new(Content), stated: newTrail()}
	err = r.read()
	if memory := (*bounds.MemoryError)(nil); errors.As(err, &memory) {
		return nil, err
	}
	if pathErr := (*os.PathError)(nil); errors.As(err, &pathErr) {
		return nil, err // such as a directory
	}
	if err != nil {
		return nil, &FormatError{path, err}
	}
	return r.content, nil
}

// reader reads a statement element by element.
type reader struct {
	decoder       *json.Decoder
	content       *Content
	statementType string
	predicateType string
	stated        trail // the subjects
}

func (r *reader) read() error {
	err := r.object(map[string]func() error{
		"_type":         func() error { return r.decoder.Decode(&r.statementType) },
		"predicateType": func() error { return r.decoder.Decode(&r.predicateType) },
		"subject":       func() error { return each(r, r.stated.add) },
		"predicate":     r.predicate,
	})
	if err != nil {
		return err
	}
	if _, err := r.decoder.Token(); err != io.EOF {
		return errors.New("text after its end")
	}
	return r.check()
}

func (r *reader) predicate() error {
	c := r.content
	return r.object(map[string]func() error{
		"version": func() error { return r.decoder.Decode(&c.Version) },
		"index":   func() error { return r.decoder.Decode(&c.Index) },
		"files":   func() error { return each(r, func(f File) error { c.Files = append(c.Files, f); return nil }) },
		"artifacts": func() error {
			return each(r, func(a Artifact) error { c.Artifacts = append(c.Artifacts, a); return nil })
		},
		"referrers": func() error {
			return each(r, func(a Referrer) error { c.Referrers = append(c.Referrers, a); return nil })
		},
	})
}

// check compares the subjects, which tools for in-toto read, with the predicate.
func (r *reader) check() error {
	if r.statementType != Type {
		return fmt.Errorf("_type is %q, want %q", r.statementType, Type)
	}
	if r.predicateType != PredicateType {
		return fmt.Errorf("predicateType is %q, want %q", r.predicateType, PredicateType)
	}
	implied := newTrail()
	err := r.content.subjects(func(s subject) error {
		if err := digest.Digest(s.Digest).Validate(); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		return implied.add(s)
	})
	if err == nil && implied.sum() != r.stated.sum() {
		err = errors.New("its subjects differ from its predicate")
	}
	return err
}

// object reads an object by its keys, each at most once. A key that is not known is an error:
// what it says would not be checked.
func (r *reader) object(keys map[string]func() error) error {
	if err := r.delimiter('{'); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		read := keys[key]
		if read == nil || seen[key] {
			return fmt.Errorf("unexpected key %q", key)
		}
		seen[key] = true
		if err := read(); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return r.delimiter('}')
}

func (r *reader) delimiter(want json.Delim) error {
	token, err := r.decoder.Token()
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	if err == nil && token != want {
		err = fmt.Errorf("expected %v, got %v", want, token)
	}
	return err
}

// each reads a list.
func each[T any](r *reader, found func(T) error) error {
	if err := r.delimiter('['); err != nil {
		return err
	}
	r.decoder.DisallowUnknownFields()
	for r.decoder.More() {
		var one T
		if err := r.decoder.Decode(&one); err != nil {
			return err
		}
		if err := bounds.Take(rootMemory); err != nil {
			return err
		}
		if err := found(one); err != nil {
			return err
		}
	}
	return r.delimiter(']')
}
