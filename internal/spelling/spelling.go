// Package spelling finds the word that a misspelled one was probably meant to be.
package spelling

import "strings"

// maxWord bounds the length of words that are compared, so that a hostile key costs little.
// Nothing longer is a slip of the finger.
const maxWord = 64

// Nearest returns the candidate nearest to word, or "" if none is near. It forgives two slips,
// and in a long word one for every three letters; where it forgives more than one, the first
// letter has to be right, as it mostly is.
func Nearest(word string, candidates []string) string {
	if word == "" || len(word) > maxWord {
		return ""
	}
	word = strings.ToLower(word)
	nearest, least := "", max(2, len(word)/3)+1
	for _, c := range candidates {
		lower := strings.ToLower(c)
		distance := Distance(word, lower)
		if lower == strings.TrimSuffix(word, "y")+"ies" {
			distance = 1 // the plural
		}
		if distance < least && (distance <= 1 || word[0] == lower[0]) {
			nearest, least = c, distance
		}
	}
	return nearest
}

// Distance returns the number of letters to insert, drop or replace between a and b
// (Levenshtein's distance). Its cost is the product of their lengths.
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
