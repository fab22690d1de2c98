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

// KeyError reports a key that a statement of this version does not have, or has once. What it
// says would not be checked.
type KeyError struct{ Key string }

func (e *KeyError) Error() string { return fmt.Sprintf("unexpected key %q", e.Key) }

// TypeError reports a statement of another kind.
type TypeError struct{ Key, Got, Want string }

func (e *TypeError) Error() string { return fmt.Sprintf("%s is %q, want %q", e.Key, e.Got, e.Want) }

const (
	// rootMemory is the memory, in bytes, of an artifact or a referrer of a statement without
	// its texts. It has room for the list that another one replaces when it grows.
	rootMemory = 200
	// wordMemory is that of a text that many share, and listMemory that of an element of a list.
	wordMemory, listMemory = 100, 48
	// maxValue bounds a value of a statement, in bytes. Those of real ones have a few hundred; an
	// artifact with a thousand signers has some hundred thousand.
	maxValue = 1 << 20
)

// Open reads the statement in a file. What is invalid in it is a *FormatError.
func Open(path string) (*Content, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Read(path, f)
}

// Read reads a statement to its end. What is invalid in it is a *FormatError with the path.
func Read(path string, in io.Reader) (*Content, error) {
	r := newReader(in)
	err := r.read()
	if memory := (*bounds.MemoryError)(nil); errors.As(err, &memory) {
		return nil, fmt.Errorf("%s: %w", path, memory)
	}
	if r.in.err != nil {
		return nil, r.in.err // such as that of a directory
	}
	if err != nil {
		return nil, &FormatError{path, err}
	}
	return r.content, nil
}

// reader reads a statement element by element.
type reader struct {
	in      *measured
	decoder *json.Decoder
	content *Content
	typed   map[string]bool // the keys that say that it is a statement of ours
	stated  trail           // the subjects
	words   map[string]string
}

func newReader(in io.Reader) *reader {
	r := &reader{in: &measured{in: bufio.NewReader(in)}, content: new(Content), typed: make(map[string]bool), stated: newTrail(), words: make(map[string]string)}
	r.decoder = json.NewDecoder(r.in)
	r.decoder.DisallowUnknownFields()
	r.in.next()
	return r
}

// measured refuses a value that is larger than any real one, before all of it is in memory.
type measured struct {
	in   io.Reader
	left int   // bytes of this value
	err  error // of in
}

// next begins another value.
func (m *measured) next() { m.left = maxValue }

func (m *measured) Read(p []byte) (int, error) {
	if m.left == 0 {
		return 0, &bounds.Error{What: "bytes of a value:", Most: maxValue}
	}
	n, err := m.in.Read(p[:min(len(p), m.left)])
	m.left -= n
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

func (r *reader) read() error {
	err := r.object(map[string]func() error{
		"_type":         func() error { return r.constant("_type", Type) },
		"predicateType": func() error { return r.constant("predicateType", PredicateType) },
		"subject":       func() error { return each(r, r.stated.add) },
		"predicate":     r.predicate,
	})
	if err != nil {
		return err
	}
	switch _, err := r.token(); err {
	case io.EOF:
		return r.check()
	case nil:
		return errors.New("text after its end")
	default:
		return err
	}
}

func (r *reader) predicate() error {
	c := r.content
	return r.object(map[string]func() error{
		"version":   func() error { return r.decode(&c.Version) },
		"index":     func() error { return r.decode(&c.Index) },
		"lock":      func() error { return r.decode(&c.Lock) },
		"files":     func() error { return each(r, appendTo(&c.Files, r.keepFile)) },
		"artifacts": func() error { return each(r, appendTo(&c.Artifacts, r.keepArtifact)) },
		"referrers": func() error { return each(r, appendTo(&c.Referrers, r.keepReferrer)) },
	})
}

// appendTo returns a function that appends to a list, and counts the memory that keep returns.
func appendTo[T any](all *[]T, keep func(*T) (texts int)) func(T) error {
	return func(one T) error {
		if err := bounds.Take(int64(rootMemory + keep(&one))); err != nil {
			return err
		}
		*all = append(*all, one)
		return nil
	}
}

func (r *reader) keepFile(f *File) (texts int) { return len(f.Name) + len(f.Digest) }

func (r *reader) keepArtifact(a *Artifact) (texts int) {
	texts = len(a.Reference) + len(a.Digest) + r.share(&a.MediaType)
	for _, list := range [][]string{a.Platforms, a.SignedBy} {
		for i := range list {
			texts += listMemory + r.share(&list[i])
		}
	}
	return texts
}

func (r *reader) keepReferrer(f *Referrer) (texts int) {
	return len(f.Digest) + len(f.Subject) + r.share(&f.MediaType) + r.share(&f.ArtifactType)
}

// share replaces a text that many roots have by one that is kept already, and returns the memory
// of one that is not.
func (r *reader) share(text *string) (memory int) {
	if same, kept := r.words[*text]; kept {
		*text = same
		return 0
	}
	r.words[*text] = *text
	return wordMemory + len(*text)
}

// check compares the subjects, which tools for in-toto read, with the predicate.
func (r *reader) check() error {
	if !r.typed["_type"] {
		return &TypeError{"_type", "", Type}
	}
	if !r.typed["predicateType"] {
		return &TypeError{"predicateType", "", PredicateType}
	}
	if lock := r.content.Lock; lock != nil {
		if err := lock.Digest.Validate(); err != nil {
			return fmt.Errorf("lock: %w", err)
		}
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
	r.content.sort()
	return err
}

// constant reads a text that every statement of ours has.
func (r *reader) constant(key, want string) error {
	var got string
	if err := r.decode(&got); err != nil {
		return err
	}
	r.typed[key] = got == want
	if got != want {
		return &TypeError{key, got, want}
	}
	return nil
}

func (r *reader) decode(into any) error {
	r.in.next()
	return truncated(r.decoder.Decode(into))
}

// truncated returns the error of a document that ends too early for io.EOF.
func truncated(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (r *reader) token() (json.Token, error) {
	r.in.next()
	return r.decoder.Token()
}

// object reads an object by its keys, each at most once. A key that is not known is an error:
// what it says would not be checked.
func (r *reader) object(keys map[string]func() error) error {
	if err := r.delimiter('{'); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for r.decoder.More() {
		token, err := r.token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		read := keys[key]
		if read == nil || seen[key] {
			return &KeyError{key}
		}
		seen[key] = true
		if err := read(); err != nil {
			return within(key, err)
		}
	}
	return r.delimiter('}')
}

// within adds the key of a value to its error. A type has it already.
func within(key string, err error) error {
	if kind := (*TypeError)(nil); errors.As(err, &kind) {
		return err
	}
	return fmt.Errorf("%s: %w", key, err)
}

func (r *reader) delimiter(want json.Delim) error {
	token, err := r.token()
	if err = truncated(err); err == nil && token != want {
		err = fmt.Errorf("expected %v, got %v", want, token)
	}
	return err
}

// each reads a list.
func each[T any](r *reader, found func(T) error) error {
	if err := r.delimiter('['); err != nil {
		return err
	}
	for r.decoder.More() {
		var one T
		if err := r.decode(&one); err != nil {
			return err
		}
		if err := found(one); err != nil {
			return err
		}
	}
	return r.delimiter(']')
}
