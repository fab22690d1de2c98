package draft

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// fields are keys and values of a YAML mapping on one line.
type fields [][2]string

func (f *fields) put(key, value string) { *f = append(*f, [2]string{key, value}) }

func (f fields) String() string {
	parts := make([]string, len(f))
	for i, p := range f {
		parts[i] = p[0] + ": " + p[1]
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func quoteAll(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// plain matches texts that YAML reads as such without quotes, in a list too: words, and
// references, which may start with a digit.
var plain = regexp.MustCompile(`^(?:[A-Za-z]|[0-9][0-9A-Za-z.:-]*/)[A-Za-z0-9._/@+-]*(?::[A-Za-z0-9._/@+-]+)*$`)

// words are texts that YAML may read as something else.
var words = regexp.MustCompile(`(?i)^(true|false|yes|no|on|off|null|y|n)$`)

// quote returns a text as a YAML scalar.
func quote(s string) string {
	switch {
	case plain.MatchString(s) && !words.MatchString(s):
		return s
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return strconv.QuoteToASCII(s)
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
