package text

import (
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// WriteJSON writes a document, indented, so that the terminal shows it as it is.
func WriteJSON(w io.Writer, document any) error {
	encoder := NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// NewEncoder returns an encoder of JSON whose text is printable, and means exactly what
// was encoded.
func NewEncoder(w io.Writer) *json.Encoder {
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
