package console

import (
	"regexp"
	"strings"

	"github.com/rivo/uniseg"
)

// wrapped breaks a line between words into rows of the given width. It does not break a
// longer word, so that a user can copy it, nor a number from its unit.
func wrapped(line string, columns int) string {
	if columns <= 0 || uniseg.StringWidth(line) <= columns {
		return line
	}
	var b strings.Builder
	at := 0
	for i, word := range wordsOf(line) {
		width := uniseg.StringWidth(word)
		switch {
		case i == 0:
		case at+1+width > columns:
			b.WriteByte('\n')
			at = 0
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += width
	}
	return b.String()
}

var unitAhead = regexp.MustCompile(`\d ([KMGTPE]iB|B|s|min|h)\b`)

// wordsOf splits a line at spaces, except between a number and its unit.
func wordsOf(line string) []string {
	const kept = "\x00" // in no line: it is not printable
	line = unitAhead.ReplaceAllStringFunc(line, func(m string) string { return strings.Replace(m, " ", kept, 1) })
	words := strings.Split(line, " ")
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], kept, " ")
	}
	return words
}
