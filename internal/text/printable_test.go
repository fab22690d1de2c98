package text

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/oras-mirror/oras-mirror/internal/stories"
)

// readable lists texts that people write.
var readable = []string{"plain: text/1.0@sha256", "Überraschung", "e\u0301", "日本語 イメージ", "שלום", "مرحبا", "✔ ⚠\ufe0f 🚀", "€ → “x”", "हिन्दी"}

func TestInvisibleCharactersAreReplaced(t *testing.T) {
	for name, text := range stories.Invisible {
		got := Printable("a" + text + "b")
		if strings.Contains(got, text) || !strings.HasPrefix(got, "a\ufffd") || !strings.HasSuffix(got, "\ufffdb") {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, text := range readable {
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

// TestJSONIsExactAndPrintable encodes each kind of character: JSON decodes to the same value
// and is printable.
func TestJSONIsExactAndPrintable(t *testing.T) {
	var all []string
	for name, text := range stories.Invisible {
		if name != "half of UTF-8" { // which is not in JSON
			all = append(all, "a"+text+"b"+text)
		}
	}
	all = append(all, readable...)
	for _, text := range all {
		document := map[string]string{"reference": text, text: "<&>\u2028"}
		for name, encode := range map[string]func(*bytes.Buffer) error{
			"WriteJSON":  func(b *bytes.Buffer) error { return WriteJSON(b, document) },
			"NewEncoder": func(b *bytes.Buffer) error { return NewEncoder(b).Encode(document) },
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
