package strictyaml

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// toUTF8 returns a text without its byte order mark, and one in UTF-16 in UTF-8: what
// PowerShell redirects into a file is UTF-16.
func toUTF8(data []byte) []byte {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return fromUTF16(data[2:], binary.BigEndian)
	}
	return bytes.TrimPrefix(data, []byte("\ufeff"))
}

func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// jsonParts returns the documents of a file that is JSON, and none of any other file.
func jsonParts(data []byte) []part {
	if text := bytes.TrimLeft(data, " \t\r\n"); len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return nil
	}
	var all []part
	decoder := json.NewDecoder(bytes.NewReader(data))
	for before, end := 0, 0; ; {
		var value json.RawMessage
		err := decoder.Decode(&value)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			return nil
		}
		begin := int(decoder.InputOffset()) - len(value)
		before += bytes.Count(data[end:begin], []byte("\n"))
		all = append(all, part{before, withoutEscapes(value)})
		end = int(decoder.InputOffset())
		before += bytes.Count(value, []byte("\n"))
	}
}

// withoutEscapes replaces what JSON has and the YAML of the parser does not: the escaped slash,
// and the pairs of escapes for a character beyond U+FFFF.
func withoutEscapes(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\/`)) && !bytes.Contains(bytes.ToLower(text), []byte(`\ud`)) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if text[i] != '\\' || i+1 == len(text) {
			out = append(out, text[i])
			i++
			continue
		}
		r := utf16.DecodeRune(escaped(text[i:]), escaped(text[min(i+6, len(text)):]))
		switch {
		case r != utf8.RuneError:
			out = utf8.AppendRune(out, r)
			i += 12
		case text[i+1] == '/':
			out = append(out, '/')
			i += 2
		default:
			out = append(out, text[i:i+2]...)
			i += 2
		}
	}
	return out
}

// escaped returns the character of the \uXXXX that a text begins with, or 0.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}
