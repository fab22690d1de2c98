// Package redact takes known secrets out of a text, whatever they are encoded in there:
// a registry that is asked with a password may quote it in its answer as it came, or as
// it would stand in a URL, in JSON, in HTML, in base64 or in hexadecimal digits.
package redact

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
)

// Mask stands in the place of a secret.
const Mask = "xxxxx"

// Secret is a text that must not be shown, and how it can be written.
type Secret struct {
	plain     string
	hex       string
	fragments []string // that base64 makes of it, whatever stands around it
}

// leastFragment keeps a fragment of base64 from being found in an innocent word.
const leastFragment = 6

// New returns a secret. An empty one is found nowhere.
func New(plain string) Secret {
	s := Secret{plain: plain, hex: hex.EncodeToString([]byte(plain))}
	for before := range 3 {
		for _, fragment := range []string{fragmentOf(plain, before, base64.StdEncoding), fragmentOf(plain, before, base64.URLEncoding)} {
			if len(fragment) >= leastFragment && !slices.Contains(s.fragments, fragment) {
				s.fragments = append(s.fragments, fragment)
			}
		}
	}
	return s
}

// fragmentOf returns the characters of an encoding that depend on the secret alone, if so
// many bytes stand before it: base64 writes three bytes in four characters of 6 bits.
func fragmentOf(plain string, before int, encoding *base64.Encoding) string {
	all := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + plain))
	first := (before*8 + 5) / 6
	last := (before + len(plain)) * 8 / 6
	if last <= first {
		return ""
	}
	return all[first:last]
}

// Hide returns text with a mask in each place where the secret is.
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

// isBase64 tells the characters of both alphabets, and what fills up the last group.
func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_=", c) >= 0
}

// replace masks each place where a secret is written, with what belongs to it before
// and behind.
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

// replaceHex knows digits of either case.
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
