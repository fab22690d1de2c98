package config

import "strings"

// nearest returns the candidate that word was perhaps meant to be, or "". Two
// slips are forgiven, in a long word one for every three letters; more than one
// only behind the first letter, which people get right.
func nearest(word string, candidates []string) string {
	if word == "" {
		return ""
	}
	word = strings.ToLower(word)
	best, distance := "", max(2, len(word)/3)+1
	for _, c := range candidates {
		lower := strings.ToLower(c)
		d := maxWord
		if len(word) <= maxWord {
			d = Distance(word, lower)
		}
		if d < distance && (d <= 1 || word[0] == lower[0]) {
			best, distance = c, d
		}
	}
	return best
}

// maxWord keeps a hostile key from costing much: nothing so long is a slip.
const maxWord = 64

// Distance counts the letters to insert, drop or replace between a and b
// (Levenshtein's). It takes time and memory by the product of their lengths.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
