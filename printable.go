package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable keeps what a registry or a file says on one line, from steering the terminal,
// and from looking like something else: characters that have no shape of their own but
// turn the direction of others, join or hide them.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Z, r):
			return ' '
		case !hasShape(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// hasShape reports whether a character can be seen, or is a space: none of those that
// control (Cc), format (Cf), are private or not assigned, nor what a display leaves out
// (Default_Ignorable_Code_Point), but for the two selectors of emoji.
func hasShape(r rune) bool {
	const asText, asEmoji = '\ufe0e', '\ufe0f'
	switch {
	case r == asText || r == asEmoji:
		return true
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return false
	}
	return unicode.IsGraphic(r)
}

// printJSON writes a document, indented, so that the terminal shows it as it is.
func printJSON(w io.Writer, document any) error {
	encoder := newEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// newEncoder returns an encoder of JSON whose text is printable, and means exactly what
// was encoded.
func newEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(shapedWriter{w})
	encoder.SetEscapeHTML(false)
	return encoder
}

// shapedWriter escapes in JSON each character that has no shape, which can stand in
// strings alone. What it is given at once is whole.
type shapedWriter struct{ w io.Writer }

func (s shapedWriter) Write(p []byte) (int, error) {
	var out []byte // nil until something is escaped
	rest := p
	for i := 0; i < len(rest); {
		r, size := utf8.DecodeRune(rest[i:])
		if r < 0x7f || hasShape(r) {
			i += size
			continue
		}
		out = append(out, rest[:i]...)
		rest, i = rest[i+size:], 0
		for _, unit := range utf16.Encode([]rune{r}) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	if out != nil {
		rest = append(out, rest...)
	}
	if _, err := s.w.Write(rest); err != nil {
		return 0, err
	}
	return len(p), nil
}
