package lockfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// appendList appends a list of words that need no quotes: platforms or digests.
func appendList[T fmt.Stringer](b []byte, key string, list []T) []byte {
	if len(list) == 0 {
		return b
	}
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = v.String()
	}
	return append(b, ", "+key+": ["+strings.Join(words, ", ")+"]"...)
}

// plain matches text that every YAML parser reads as a string without quotes, also within
// braces: its slash keeps it from being a number, a date or a keyword of YAML.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@:+-]*/[A-Za-z0-9._@:/+-]*[A-Za-z0-9_]$`)

// appendScalar appends a string, in quotes if necessary. The escapes of Go mean the same in
// the double quotes of YAML.
func appendScalar(b []byte, s string) []byte {
	if plain.MatchString(s) {
		return append(b, s...)
	}
	return strconv.AppendQuoteToASCII(b, s)
}

// scan holds the rest of a line.
type scan struct{ rest string }

// scalar returns the value after prefix without its quotes, or "" if the rest does not start
// with prefix.
func (s *scan) scalar(prefix string) string {
	rest, ok := strings.CutPrefix(s.rest, prefix)
	if !ok {
		return ""
	}
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		s.rest = rest[len(quoted):]
		value, _ := strconv.Unquote(quoted)
		return value
	}
	end := strings.IndexAny(rest, ",}")
	if end < 0 {
		return ""
	}
	s.rest = rest[end:]
	return rest[:end]
}

// list returns the words after prefix, or nil if the rest does not start with prefix.
func (s *scan) list(prefix string) []string {
	rest, ok := strings.CutPrefix(s.rest, prefix)
	words, after, closed := strings.Cut(rest, "]")
	if !ok || !closed {
		return nil
	}
	s.rest = after
	return strings.Split(words, ", ")
}

// quoted returns the texts in quotes after prefix, or nil if the rest does not start with prefix.
func (s *scan) quoted(prefix string) []string {
	rest, ok := strings.CutPrefix(s.rest, prefix)
	if !ok {
		return nil
	}
	var texts []string
	for {
		text, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return nil
		}
		value, _ := strconv.Unquote(text)
		texts = append(texts, value)
		rest = rest[len(text):]
		if rest, ok = strings.CutPrefix(rest, ", "); !ok {
			break
		}
	}
	if rest, ok = strings.CutPrefix(rest, "]"); !ok {
		return nil
	}
	s.rest = rest
	return texts
}
