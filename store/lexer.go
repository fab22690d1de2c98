package store

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
	// maxValue bounds the memory of one string, or of one value that is kept unparsed.
	maxValue = 4 << 20
	// maxDepth bounds the nesting of a value that is kept unparsed.
	maxDepth = 100
)

var (
	errSyntax = errors.New("is not valid JSON")
	errValue  = errors.New("holds a value larger than 4 MiB")
	errDepth  = errors.New("is nested too deeply")
)

// lexer reads JSON values from a stream. An index.json of 100,000 entries is common, and
// encoding/json needs several times as long for it, mostly for what is discarded. The
// lexer leaves anything uncommon (an escape, a value of another tool) to encoding/json.
type lexer struct {
	r    *bufio.Reader
	text []byte // of the last string, scalar or raw
}

func newLexer(r io.Reader) *lexer {
	return &lexer{r: bufio.NewReaderSize(r, 64<<10)}
}

// object calls member with each key; member reads the value. A null is an empty object.
func (l *lexer) object(member func(key string) error) error {
	return l.sequence('{', '}', func() error {
		text, err := l.quoted()
		if err != nil {
			return err
		}
		key := knownKey(text)
		if err := l.expect(':'); err != nil {
			return err
		}
		return member(key)
	})
}

// array calls element before each value; element reads it. A null is an empty
// array.
func (l *lexer) array(element func() error) error {
	return l.sequence('[', ']', element)
}

func (l *lexer) sequence(first, last byte, element func() error) error {
	if null, err := l.null(); null || err != nil {
		return err
	}
	if err := l.expect(first); err != nil {
		return err
	}
	if c, err := l.peek(); err != nil || c == last {
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
			return unexpected(c)
		}
	}
}

// string reads a string; a null is an empty string. The bytes are valid until the next
// call.
func (l *lexer) string() ([]byte, error) {
	if null, err := l.null(); null || err != nil {
		return nil, err
	}
	return l.quoted()
}

func (l *lexer) quoted() ([]byte, error) {
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
func (l *lexer) restOfString() error {
	for start := len(l.text); ; {
		part, err := l.r.ReadSlice('"')
		l.text = append(l.text, part...)
		switch {
		case len(l.text) > maxValue:
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

// integer reads an integer.
func (l *lexer) integer() (int64, error) {
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

// raw reads any value and returns it without white space.
func (l *lexer) raw() (json.RawMessage, error) {
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
func (l *lexer) take() error {
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
		case len(l.text) > maxValue:
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
