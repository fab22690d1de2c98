package jsonlexer

import (
	"fmt"
	"io"
)

// null consumes a null, if that is the next value.
func (l *Lexer) null() (bool, error) {
	c, err := l.Peek()
	if err != nil || c != 'n' {
		return false, err
	}
	if err := l.scalar(); err != nil {
		return false, err
	}
	if string(l.text) != "null" {
		return false, errSyntax
	}
	return true, nil
}

// scalar reads a number or a word.
func (l *Lexer) scalar() error {
	c, err := l.next()
	if err != nil {
		return err
	}
	if delimits(c) {
		return Unexpected(c)
	}
	l.text = append(l.text[:0], c)
	return l.restOfScalar()
}

func (l *Lexer) restOfScalar() error {
	for {
		c, err := l.r.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if delimits(c) {
			return l.r.UnreadByte()
		}
		if l.text = append(l.text, c); len(l.text) > MaxValue {
			return errValue
		}
	}
}

// next consumes the first byte that is not white space.
func (l *Lexer) next() (byte, error) {
	for {
		c, err := l.r.ReadByte()
		if err != nil {
			return 0, noEOF(err)
		}
		if !space(c) {
			return c, nil
		}
	}
}

// Peek returns the first byte that is not white space without consuming it.
func (l *Lexer) Peek() (byte, error) {
	c, err := l.next()
	if err != nil {
		return 0, err
	}
	return c, l.r.UnreadByte()
}

func (l *Lexer) expect(want byte) error {
	c, err := l.next()
	if err == nil && c != want {
		err = Unexpected(c)
	}
	return err
}

// End returns an error if anything but white space follows, or if the stream breaks off.
func (l *Lexer) End() error {
	for {
		c, err := l.r.ReadByte()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case !space(c):
			return Unexpected(c)
		}
	}
}

// Unexpected returns the error of a value that begins with c where another was expected.
func Unexpected(c byte) error { return fmt.Errorf("%w: unexpected %q", errSyntax, c) }

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// delimits reports whether c ends a number or a word.
func delimits(c byte) bool {
	switch c {
	case ',', ':', '{', '}', '[', ']', '"':
		return true
	}
	return space(c)
}

// plain reports whether the text of a string is its value.
func plain(text []byte) bool {
	for _, c := range text {
		if c < 0x20 || c >= 0x80 || c == '\\' {
			return false
		}
	}
	return true
}

// escaped reports whether a quote after text belongs to the string.
func escaped(text []byte) bool {
	n := len(text)
	for n > 0 && text[n-1] == '\\' {
		n--
	}
	return (len(text)-n)%2 == 1
}
