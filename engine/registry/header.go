package registry

import "strings"

// scanner reads the value of a header from left to right (RFC 9110, 5.6).
type scanner struct{ rest string }

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t") }

// skip goes over c if it is next.
func (s *scanner) skip(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// until returns what stands before the first of some characters.
func (s *scanner) until(ends string) string {
	i := strings.IndexAny(s.rest, ends)
	if i < 0 {
		i = len(s.rest)
	}
	found := s.rest[:i]
	s.rest = s.rest[i:]
	return found
}

// uri reads "<URI>".
func (s *scanner) uri() (string, bool) {
	if !s.skip('<') {
		return "", false
	}
	return s.until(">"), s.skip('>')
}

// parameter reads NAME, NAME=TOKEN or NAME="QUOTED", with spaces round any of them.
// Its name comes in lower case; a token ends at one of ends.
func (s *scanner) parameter(ends string) (name, value string, ok bool) {
	s.space()
	name = strings.ToLower(strings.TrimRight(s.until("="+ends), " \t"))
	if !s.skip('=') {
		return name, "", true
	}
	if s.space(); strings.HasPrefix(s.rest, `"`) {
		value, ok = s.quoted()
		return name, value, ok
	}
	return name, strings.TrimRight(s.until(ends), " \t"), true
}

// quoted reads a quoted string.
func (s *scanner) quoted() (value string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return b.String(), true
		case c == '\\' && i+1 < len(s.rest):
			i++
			b.WriteByte(s.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
