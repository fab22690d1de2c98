package redact

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// match returns the length of the secret at the beginning of text, each of its characters
// plain or escaped in any of the usual ways. It returns 0 if text does not begin with it.
func match(text, secret string) int {
	if strings.HasPrefix(text, secret) {
		return len(secret)
	}
	if text == "" || text[0] != secret[0] && !strings.ContainsRune(`%\&+`, rune(text[0])) {
		return 0
	}
	_, size := utf8.DecodeRuneInString(secret)
	for _, n := range readings(text, secret[:size]) {
		if len(secret) == size {
			return n
		}
		if rest := match(text[n:], secret[size:]); rest > 0 {
			return n + rest
		}
	}
	return 0
}

// readings returns the possible lengths of one character at the beginning of text: a % may
// be a character itself, or begin an escaped one.
func readings(text, character string) (lengths []int) {
	add := func(n int) {
		if n > 0 {
			lengths = append(lengths, n)
		}
	}
	if strings.HasPrefix(text, character) {
		add(len(character))
	}
	switch text[0] {
	case '%':
		add(inBytes(text, character, "%"))
		add(inBytes(text, character, "%25"))
		if character == " " { // first written as a +
			add(inBytes(text, "+", "%"))
		}
	case '\\':
		add(backslashed(text, character))
	case '&':
		add(entity(text, character))
	case '+':
		if character == " " {
			add(1)
		}
	}
	return lengths
}

// inBytes reads a character that is escaped byte by byte: a prefix and two digits each.
func inBytes(text, character, prefix string) int {
	for i := range len(character) {
		digits, ok := strings.CutPrefix(text, prefix)
		if !ok || !isNumber(digits, 2, rune(character[i])) {
			return 0
		}
		text = digits[2:]
	}
	return len(character) * (len(prefix) + 2)
}

// backslashed reads the escapes of JSON, of Go and of shells.
func backslashed(text, character string) int {
	r, _ := utf8.DecodeRuneInString(character)
	switch {
	case len(text) < 2:
		return 0
	case text[1] == 'u' && isNumber(text[2:], 4, r):
		return 6
	case text[1] == 'U' && isNumber(text[2:], 8, r):
		return 10
	case text[1] == 'x':
		if n := inBytes(text, character, `\x`); n > 0 {
			return n
		}
	}
	if strings.HasPrefix(text[1:], character) && strings.Contains(`"\/'$`+"`", character) {
		return 1 + len(character)
	}
	return 0
}

// isNumber reports whether text begins with a number in hexadecimal digits.
func isNumber(text string, digits int, number rune) bool {
	if len(text) < digits {
		return false
	}
	n, err := strconv.ParseUint(text[:digits], 16, 32)
	return err == nil && rune(n) == number
}

var entities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

// longestEntity is the length of &#x10ffff;
const longestEntity = 10

// entity reads the escapes of HTML.
func entity(text, character string) int {
	end := strings.IndexByte(text[:min(len(text), longestEntity)], ';')
	if end < 0 {
		return 0
	}
	name := text[1:end]
	if entities[name] == character {
		return end + 1
	}
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0
	}
	base := 10
	if x := strings.TrimLeft(digits, "xX"); len(x) == len(digits)-1 {
		digits, base = x, 16
	}
	r, _ := utf8.DecodeRuneInString(character)
	if n, err := strconv.ParseUint(digits, base, 32); err != nil || rune(n) != r {
		return 0
	}
	return end + 1
}
