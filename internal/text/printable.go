package text

import (
	"strings"
	"unicode"
)

// Printable makes text from a registry or a file safe to print on one line. It replaces
// control characters, which can steer a terminal, and invisible characters, which can
// reorder, join or hide others.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Z, r):
			return ' '
		case !isVisible(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// isVisible reports whether a character is visible or a space. It excludes control (Cc),
// format (Cf), private and unassigned characters, and those that a display ignores
// (Default_Ignorable_Code_Point), except the two variation selectors of emoji.
func isVisible(r rune) bool {
	const asText, asEmoji = '\ufe0e', '\ufe0f'
	switch {
	case r == asText || r == asEmoji:
		return true
	case unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
		return false
	}
	return unicode.IsGraphic(r)
}
