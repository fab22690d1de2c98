// Package glob reads the syntax of glob patterns: their braces, and what is neither quoted nor in
// brackets. Matching is left to the doublestar library.
package glob

import "slices"

// maxAlternatives bounds the patterns that one with braces stands for: {a,b}{a,b}{a,b}
// stands for eight.
const maxAlternatives = 1024

// Alternatives returns a pattern without its braces, once for each way to take them.
// Beyond maxAlternatives they stay in.
func Alternatives(text string) []string {
	all := []string{text}
	for i := 0; i < len(all) && len(all) < maxAlternatives; {
		first, last, commas := braces(all[i])
		if last < 0 {
			i++
			continue
		}
		one := all[i]
		var taken []string
		from := first + 1
		for _, to := range append(commas, last) {
			taken = append(taken, one[:first]+one[from:to]+one[last+1:])
			from = to + 1
		}
		all = slices.Replace(all, i, i+1, taken...)
	}
	return all
}

// braces finds the first pair that is not inside of another one, and the commas
// between its alternatives; last is -1 if there is none.
func braces(text string) (first, last int, commas []int) {
	first, last = -1, -1
	depth := 0
	EachPlain(text, func(i int) bool {
		switch text[i] {
		case '{':
			if depth++; depth == 1 {
				first = i
			}
		case ',':
			if depth == 1 {
				commas = append(commas, i)
			}
		case '}':
			if depth--; depth == 0 {
				last = i
			}
		}
		return last < 0
	})
	return first, last, commas
}

// EachPlain calls fn for the bytes of a glob that are neither in brackets nor behind a
// backslash. It ends when fn returns false.
func EachPlain(text string, fn func(i int) bool) {
	class := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case !fn(i):
			return
		}
	}
}
