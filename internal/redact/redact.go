// Package redact masks known secrets in a text, in any usual encoding: a registry may
// quote the password of a request in its response, unchanged or escaped for a URL, JSON
// or HTML, or in base64 or hexadecimal.
package redact

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// Mask replaces a secret.
const Mask = "xxxxx"

// Secret is a text that must not be shown, with its encodings.
type Secret struct {
	plain     string
	hex       string
	fragments []string // its base64 encodings, without the characters that depend on the text around it
}

// minFragment is the length of the shortest base64 fragment to mask: a shorter one may be
// part of an innocent word.
const minFragment = 6

// New returns a secret. An empty one is never found.
func New(plain string) Secret {
	s := Secret{plain: plain, hex: hex.EncodeToString([]byte(plain))}
	for before := range 3 {
		for _, fragment := range []string{fragmentOf(plain, before, base64.StdEncoding), fragmentOf(plain, before, base64.URLEncoding)} {
			if len(fragment) >= minFragment && !slices.Contains(s.fragments, fragment) {
				s.fragments = append(s.fragments, fragment)
			}
		}
	}
	return s
}

// fragmentOf returns the characters of an encoding that depend only on the secret, if
// before bytes precede it: base64 encodes three bytes in four characters of 6 bits.
func fragmentOf(plain string, before int, encoding *base64.Encoding) string {
	all := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + plain))
	first := (before*8 + 5) / 6
	last := (before + len(plain)) * 8 / 6
	if last <= first {
		return ""
	}
	return all[first:last]
}

// Hide returns text with each occurrence of the secret masked.
func (s Secret) Hide(text string) string {
	if s.plain == "" {
		return text
	}
	text = replace(text, s.plain, none)
	for _, fragment := range s.fragments {
		text = replace(text, fragment, isBase64)
	}
	return replaceHex(text, s.hex)
}

func none(byte) bool { return false }

// isBase64 reports whether c is in one of the two alphabets, or padding.
func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_=", c) >= 0
}

// replace masks each occurrence of a secret, together with the characters before and
// after it that belong to it.
func replace(text, secret string, belongs func(byte) bool) string {
	var out []byte
	for i := 0; i < len(text); {
		n := match(text[i:], secret)
		if n == 0 {
			out = append(out, text[i])
			i++
			continue
		}
		for len(out) > 0 && belongs(out[len(out)-1]) {
			out = out[:len(out)-1]
		}
		for i += n; i < len(text) && belongs(text[i]); i++ {
		}
		out = append(out, Mask...)
	}
	return string(out)
}

// replaceHex masks hexadecimal digits of either case.
func replaceHex(text, digits string) string {
	lower := strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'F' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
	if len(lower) != len(text) { // not UTF-8: bytes were replaced
		return text
	}
	var out strings.Builder
	for {
		i := strings.Index(lower, digits)
		if i < 0 {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:i] + Mask)
		text, lower = text[i+len(digits):], lower[i+len(digits):]
	}
}
