package jsonlexer

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// texts are values in which a lexer could go wrong, and some that are none.
var texts = []string{
	``, ` `, `null`, `nul`, `nulls`, `true`, `falsehood`, `0`, `-1`, `01`, `1.5`, `1e3`, `9223372036854775807`, `9223372036854775808`, `--1`,
	`""`, `"a"`, `"a\"b"`, `"a\\"`, `"a\\\"b"`, `"\u00e9\ud83d\ude00"`, `"\ud800"`, `"\x"`, `"a`, `"a\"`, "\"a\tb\"", "\"\xff\"", `"ä"`, `"null"`,
	`[]`, `[ ]`, `[1, "a", null, [], {}]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `]`, `[}`, `[1]]`, `[[[[1]]]]`,
	`{}`, `{"a": 1, "b": {"c": [true, "\n"]}, "a": 2}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{1:2}`, `{"a":1]`, `{"a" 1}`, `{"a":1} x`, `:`, `,`,
}

func newLexer(text []byte) *Lexer {
	return New(iotest.OneByteReader(bytes.NewReader(text)), func(key []byte) string { return string(key) })
}

// value reads any value as encoding/json does.
func (l *Lexer) value() (v any, err error) {
	c, err := l.Peek()
	if err != nil {
		return nil, err
	}
	switch c {
	case '{':
		all := make(map[string]any)
		return all, l.Object(func(key string) error {
			all[key], err = l.value()
			return err
		})
	case '[':
		all := []any{}
		err = l.Array(func() error {
			one, err := l.value()
			all = append(all, one)
			return err
		})
		return all, err
	case '"':
		text, err := l.Text()
		return string(text), err
	}
	raw, err := l.Raw()
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	return v, err
}

// FuzzLexer checks that the lexer accepts what encoding/json accepts, with the same values.
func FuzzLexer(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) > maxDepth {
			return
		}
		var want any
		invalid := json.Unmarshal(text, &want)
		l := newLexer(text)
		got, err := l.value()
		if err == nil {
			err = l.End()
		}
		if (err == nil) != (invalid == nil) || err == nil && !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %#v, %v; want %#v, %v", text, got, err, want, invalid)
		}
		l = newLexer(text)
		raw, err := l.Raw()
		if err == nil {
			err = l.End()
		}
		var compact bytes.Buffer
		if (err == nil) != (invalid == nil) || err == nil && json.Compact(&compact, text) == nil && !bytes.Equal(raw, compact.Bytes()) {
			t.Errorf("%q: raw %q, %v; want %q, %v", text, raw, err, &compact, invalid)
		}
	})
}

// FuzzScalars checks texts and integers against encoding/json. A null is no text, and no integer.
func FuzzScalars(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var text string
		invalid := json.Unmarshal(data, &text)
		l := newLexer(data)
		got, err := l.Text()
		found := string(got)
		if err == nil {
			err = l.End()
		}
		if (err == nil) != (invalid == nil) || err == nil && found != text {
			t.Errorf("%q: got the text %q, %v; want %q, %v", data, found, err, text, invalid)
		}
		var n *int64
		invalid = json.Unmarshal(data, &n)
		l = newLexer(data)
		number, err := l.Integer()
		if err == nil {
			err = l.End()
		}
		if (err == nil) != (invalid == nil && n != nil) || err == nil && number != *n {
			t.Errorf("%q: got the number %d, %v; %v", data, number, err, invalid)
		}
	})
}

// TestLongValues reads values that are larger than the buffer, and refuses those that are larger
// than memory allows.
func TestLongValues(t *testing.T) {
	long := strings.Repeat(`x\"`, 50_000)
	text, err := newLexer([]byte(`"` + long + `"`)).Text()
	if want := strings.ReplaceAll(long, `\`, ""); err != nil || string(text) != want {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	huge := strings.NewReader(`"` + strings.Repeat("a", MaxValue) + `"`)
	if _, err := New(huge, nil).Text(); !errors.Is(err, errValue) {
		t.Errorf("a huge text: %v", err)
	}
	for name, endless := range map[string]string{
		"a list": "[" + strings.Repeat(`"`+strings.Repeat("a", 1000)+`",`, MaxValue/1000), "a number": strings.Repeat("1", MaxValue+1),
	} {
		if _, err := New(strings.NewReader(endless), nil).Raw(); !errors.Is(err, errValue) {
			t.Errorf("%s without an end: %v", name, err)
		}
	}
	if _, err := New(strings.NewReader(strings.Repeat("[", maxDepth+1)), nil).Raw(); !errors.Is(err, errDepth) {
		t.Errorf("a deep value: %v", err)
	}
}

// TestBrokenStream checks that a stream that breaks is not taken for one that ends.
func TestBrokenStream(t *testing.T) {
	for _, broken := range []error{io.ErrUnexpectedEOF, errors.New("reset")} {
		for _, text := range []string{``, `{`, `{"a`, `{"a": 1`, `{} `} {
			l := New(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), func([]byte) string { return "" })
			_, err := l.Raw()
			if err == nil {
				err = l.End()
			}
			if !errors.Is(err, broken) {
				t.Errorf("%q, then %v: %v", text, broken, err)
			}
		}
	}
}
