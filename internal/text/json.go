package text

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// WriteJSON writes a document as indented JSON that is safe for a terminal.
func WriteJSON(w io.Writer, document any) error {
	encoder := NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// NewEncoder returns an encoder of JSON that is safe for a terminal and decodes to the same
// value.
func NewEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(escapingWriter{w})
	encoder.SetEscapeHTML(false)
	return encoder
}

// escapingWriter escapes the characters of JSON that Printable replaces; they occur only in
// strings. Each call of Write gets whole characters.
type escapingWriter struct{ w io.Writer }

func (e escapingWriter) Write(p []byte) (int, error) {
	var out []byte // nil until something is escaped
	rest := p
	for i := 0; i < len(rest); {
		r, size := utf8.DecodeRune(rest[i:])
		if r < 0x7f || isVisible(r) {
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
	if _, err := e.w.Write(rest); err != nil {
		return 0, err
	}
	return len(p), nil
}
