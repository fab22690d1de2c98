// Package jsonlexer reads JSON values from a stream.
package jsonlexer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

const (
	// MaxValue bounds the memory of one string, or of one value that is kept unparsed.
	MaxValue = 4 << 20
	// maxDepth bounds the nesting of a value that is kept unparsed.
	maxDepth = 100
)

var (
	errSyntax = errors.New("is not valid JSON")
	errValue  = errors.New("holds a value larger than 4 MiB")
	errDepth  = errors.New("is nested too deeply")
)

// Lexer reads JSON values from a stream. An index.json of 100,000 entries is common, and
// encoding/json needs several times as long for it, mostly for what is discarded. The
// lexer leaves anything uncommon (an escape, a value of another tool) to encoding/json.
type Lexer struct {
	r    *bufio.Reader
	key  func(text []byte) string
	text []byte // of the last string, scalar or raw
}

// New returns a lexer that reads r. key returns the text of a key as a string; it can avoid
// an allocation for a key that occurs often.
func New(r io.Reader, key func(text []byte) string) *Lexer {
	return &Lexer{r: bufio.NewReaderSize(r, 64<<10), key: key}
}

// Object calls member with each key; member reads the value. A null is an empty object.
func (l *Lexer) Object(member func(key string) error) error {
	return l.sequence('{', '}', func() error {
		text, err := l.quoted()
		if err != nil {
			return err
		}
		key := l.key(text)
		if err := l.expect(':'); err != nil {
			return err
		}
		return member(key)
	})
}

// Array calls element before each value; element reads it. A null is an empty
// array.
func (l *Lexer) Array(element func() error) error {
	return l.sequence('[', ']', element)
}

func (l *Lexer) sequence(first, last byte, element func() error) error {
	if null, err := l.null(); null || err != nil {
		return err
	}
	if err := l.expect(first); err != nil {
		return err
	}
	if c, err := l.Peek(); err != nil || c == last {
		l.r.Discard(1)
		return err
	}
	for {
		if err := element(); err != nil {
			return err
		}
		c, err := l.next()
		if err != nil || c == last {
			return err
		}
		if c != ',' {
			return Unexpected(c)
		}
	}
}

// Text reads a string; a null is an empty string. The bytes are valid until the next
// call.
func (l *Lexer) Text() ([]byte, error) {
	if null, err := l.null(); null || err != nil {
		return nil, err
	}
	return l.quoted()
}

func (l *Lexer) quoted() ([]byte, error) {
	if err := l.expect('"'); err != nil {
		return nil, err
	}
	l.text = append(l.text[:0], '"')
	if err := l.restOfString(); err != nil {
		return nil, err
	}
	if inner := l.text[1 : len(l.text)-1]; plain(inner) {
		return inner, nil
	}
	var s string
	if json.Unmarshal(l.text, &s) != nil {
		return nil, errSyntax
	}
	return []byte(s), nil
}

// restOfString reads the rest of a string, with its closing quote.
func (l *Lexer) restOfString() error {
	for start := len(l.text); ; {
		part, err := l.r.ReadSlice('"')
		l.text = append(l.text, part...)
		switch {
		case len(l.text) > MaxValue:
			return errValue
		case err == bufio.ErrBufferFull:
			continue
		case err != nil:
			return noEOF(err)
		case !escaped(l.text[start : len(l.text)-1]):
			return nil
		}
	}
}

// Integer reads an integer.
func (l *Lexer) Integer() (int64, error) {
	if err := l.scalar(); err != nil {
		return 0, err
	}
	if !json.Valid(l.text) {
		return 0, errSyntax
	}
	n, err := strconv.ParseInt(string(l.text), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("holds %.40q where a whole number was expected", l.text)
	}
	return n, nil
}

// Raw reads any value and returns it without white space.
func (l *Lexer) Raw() (json.RawMessage, error) {
	l.text = l.text[:0]
	if err := l.take(); err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if json.Compact(&compact, l.text) != nil {
		return nil, errSyntax
	}
	return compact.Bytes(), nil
}

// take appends one value to the text and finds only its end. A space stands for white
// space between tokens.
func (l *Lexer) take() error {
	for depth := 0; ; {
		c, err := l.next()
		if err != nil {
			return err
		}
		switch c {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		l.text = append(l.text, ' ', c)
		switch {
		case depth > maxDepth:
			return errDepth
		case len(l.text) > MaxValue:
			return errValue
		case c == '"':
			err = l.restOfString()
		case !delimits(c):
			err = l.restOfScalar()
		}
		if err != nil || depth <= 0 {
			return err
		}
	}
}
