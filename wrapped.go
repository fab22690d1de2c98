package main

import (
	"strings"

	"github.com/rivo/uniseg"
)

// wrapped puts a line of a terminal into rows of so many columns, between words. A
// word that is longer than a row is left to the terminal: who copies it wants it
// whole.
func wrapped(line string, columns int) string {
	if columns <= 0 || uniseg.StringWidth(line) <= columns {
		return line
	}
	var b strings.Builder
	at := 0
	for i, word := range strings.Split(line, " ") {
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
