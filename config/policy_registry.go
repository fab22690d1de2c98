package config

import (
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/glob"
)

// cutGlob splits a glob at the first slash that is not in a set.
func cutGlob(pattern string) (registry, repository string, slash bool) {
	at := -1
	glob.EachPlain(pattern, func(i int) bool {
		if pattern[i] == '/' {
			at = i
		}
		return at < 0
	})
	if at < 0 {
		return pattern, "", false
	}
	return pattern[:at], pattern[at+1:], true
}

// unquoted returns the one text that a glob without braces matches, and whether there is only one.
func unquoted(pattern string) (text string, literal bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			b.WriteByte(pattern[i])
		case strings.IndexByte(globMeta, c) >= 0:
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// unbracketed removes brackets that were not meant as a set.
var unbracketed = strings.NewReplacer("[", "", "]", "")

const (
	// registryCharacters are those of registries, in lower case. With letters first, most globs
	// match the first text that is tried.
	registryCharacters = "abcdefghijklmnopqrstuvwxyz0123456789.:-_[]"
	// mostRegistries bounds the texts that are tried.
	mostRegistries = 500
)

// matchesRegistry reports whether a glob may match a registry. One with *, or that takes too many
// texts, may.
func matchesRegistry(pattern string) bool {
	places, ok := placesOf(pattern)
	if !ok {
		return true
	}
	if slices.Contains(places, "") {
		return false
	}
	tried := 0
	var try func(text string, rest []string) bool
	try = func(text string, rest []string) bool {
		if len(rest) == 0 {
			tried++
			return tried > mostRegistries || looksLikeRegistry(text) && grammar.RegistryFault(text) == ""
		}
		for i := range len(rest[0]) {
			if try(text+rest[0][i:i+1], rest[1:]) {
				return true
			}
		}
		return false
	}
	return try("", places)
}

// placesOf returns the characters that a valid glob without braces takes in each place; ok is
// false if it has no fixed length.
func placesOf(pattern string) (places []string, ok bool) {
	for i := 0; i < len(pattern); {
		n := min(placeLength(pattern[i:]), len(pattern)-i)
		switch pattern[i] {
		case '*':
			return nil, false
		case '?':
			places = append(places, registryCharacters)
		case '[':
			places = append(places, charactersOf(pattern[i:i+n]))
		default: // also behind a backslash
			places = append(places, pattern[i+n-1:i+n])
		}
		i += n
	}
	return places, true
}

// charactersOf returns the characters of registries that a set takes.
func charactersOf(set string) string {
	var fit strings.Builder
	for _, c := range registryCharacters {
		if matched, _ := doublestar.Match(set, string(c)); matched {
			fit.WriteRune(c)
		}
	}
	return fit.String()
}

// placeLength returns the length of the first character of a glob, or of the set in its place.
func placeLength(pattern string) int {
	switch pattern[0] {
	case '\\':
		return 2
	case '[':
		n := 1
		for ; n < len(pattern) && pattern[n] != ']'; n++ {
			if pattern[n] == '\\' {
				n++
			}
		}
		return n + 1
	}
	return 1
}
