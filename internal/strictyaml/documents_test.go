package strictyaml

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestDocuments reads files of several documents. A root is shown as LINE:VALUE of its first
// value, a fault as LINE:COLUMN!MESSAGE.
func TestDocuments(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "",
		"\n# nothing\n":                          "",
		"---\n---\n...\n":                        "",
		"null\n":                                 "",
		"a: 1":                                   "1:1",
		"\ufeffa: 1":                             "1:1",
		"a: 1\n---\nb: 2\n":                      "1:1 3:2",
		"# x\n---\na: 1\n--- # y\nb: 2":          "3:1 5:2",
		"a: 1\r\n---\r\nb: 2\r\n":                "1:1 3:2",
		"a: 1\n...\nb: 2\n":                      "1:1 3:2",
		"%YAML 1.1\n---\na: 1":                   "3:1",
		"a: |\n  x\n  ---\n  y\n---\nb: 2":       "1:x\n---\ny\n 6:2",
		"a: '---x'\n----: 3":                     "1:---x",
		"a: [\n---\nb: 2":                        "1:1!invalid YAML: did not find expected node content 3:2",
		"a: 1\n---\nb:\n\t- 2\n---\nc: 3":        "1:1 4:2!line 4 is indented with a tab; YAML allows only spaces 6:3",
		"{\"a\": 1}\n{\"b\":\n 2}":               "1:1 3:2",
		"[{\"a\": \"\\ud83d\\ude00\\\\ud83d\"}]": "1:",
		"{{ .Values.x }}: 1":                     "1:1",
		"a: \x00":                                "1:1!invalid YAML: control characters are not allowed",
	} {
		if got := shown([]byte(text)); got != want {
			t.Errorf("%q\ngot  %q\nwant %q", text, got, want)
		}
	}
}

func shown(data []byte) string {
	var all []string
	for d, f := range Documents(data) {
		if f != nil {
			all = append(all, fmt.Sprintf("%d:%d!%v", f.Position.Line, f.Position.Column, f.Err))
			continue
		}
		n := d.Root
		if len(n.Content) > 1 {
			n = n.Content[1]
		}
		all = append(all, fmt.Sprintf("%d:%s", n.Line+d.Before, n.Value))
	}
	return strings.Join(all, " ")
}

// TestEscapesOfJSON reads a character that JSON writes as two escapes, and its escaped slash.
func TestEscapesOfJSON(t *testing.T) {
	if got := shown([]byte(`{"a": "\uD83D\ude00 \\ud83d \u00e9 \/ \\/"}`)); got != `1:😀 \ud83d é / \/` {
		t.Errorf("got %q", got)
	}
}

// TestUTF16 reads what PowerShell writes.
func TestUTF16(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		var data []byte
		for _, unit := range utf16.Encode([]rune("\ufeffa: 1\r\n---\r\nb: é😀\r\n")) {
			data = order.AppendUint16(data, unit)
		}
		if got := shown(data); got != "1:1 3:é😀" {
			t.Errorf("%v: got %q", order, got)
		}
	}
}
