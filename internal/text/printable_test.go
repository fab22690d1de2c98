package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"github.com/oras-mirror/oras-mirror/internal/stories"
	"strings"
	"testing"
	"unicode"
)

// shaped are texts that people write.
var shaped = []string{"plain: text/1.0@sha256", "Überraschung", "e\u0301", "日本語 イメージ", "שלום", "مرحبا", "✔ ⚠\ufe0f 🚀", "€ → “x”", "हिन्दी"}

func TestWhatHasNoShapeIsNotPrinted(t *testing.T) {
	for name, text := range stories.Shapeless {
		got := Printable("a" + text + "b")
		if strings.Contains(got, text) || !strings.HasPrefix(got, "a\ufffd") || !strings.HasSuffix(got, "\ufffdb") {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, text := range shaped {
		if got := Printable(text); got != text {
			t.Errorf("%q of %q", got, text)
		}
	}
	for _, space := range []string{"\n", "\r", "\t", "\u2028", "\u2029", "\u00a0", "\u3000", "\v", "\u0085"} {
		if got := Printable("a" + space + "b"); got != "a b" {
			t.Errorf("%q of %q", got, space)
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if got := Printable(string(r)); unicode.In(r, unicode.Cc, unicode.Cf) && got == string(r) {
			t.Errorf("%U is printed", r)
		}
	}
}

// TestJSONIsExactAndPrintable prints each kind of character in JSON: what is read again is
// what was written, and nothing of it steers a terminal.
func TestJSONIsExactAndPrintable(t *testing.T) {
	var all []string
	for name, text := range stories.Shapeless {
		if name != "half of UTF-8" { // which JSON cannot say
			all = append(all, "a"+text+"b"+text)
		}
	}
	all = append(all, shaped...)
	for _, text := range all {
		document := map[string]string{"reference": text, text: "<&>\u2028"}
		for name, encode := range map[string]func(*bytes.Buffer) error{
			"printJSON": func(b *bytes.Buffer) error { return WriteJSON(b, document) },
			"an event":  func(b *bytes.Buffer) error { return NewEncoder(b).Encode(document) },
		} {
			var out bytes.Buffer
			if err := encode(&out); err != nil {
				t.Fatal(err)
			}
			var back map[string]string
			if err := json.Unmarshal(out.Bytes(), &back); err != nil || fmt.Sprint(back) != fmt.Sprint(document) {
				t.Errorf("%s: %q became %q (%v)", name, document, back, err)
			}
			if shown := strings.ReplaceAll(out.String(), "\n", " "); Printable(shown) != shown {
				t.Errorf("%s: %q is printed", name, shown)
			}
		}
	}
}
