package text

import (
	"strings"
	"unicode"
)

// Printable keeps what a registry or a file says on one line, from steering the terminal,
// and from looking like something else: characters that have no shape of their own but
// turn the direction of others, join or hide them.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Z, r):
			return ' '
		case !hasShape(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// hasShape reports whether a character can be seen, or is a space: none of those that
// control (Cc), format (Cf), are private or not assigned, nor what a display leaves out
// (Default_Ignorable_Code_Point), but for the two selectors of emoji.
func hasShape(r rune) bool {
	const asText, asEmoji = '\ufe0e', '\ufe0f'
	switch {
	case r == asText || r == asEmoji:
		return true
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return false
	}
	return unicode.IsGraphic(r)
}
