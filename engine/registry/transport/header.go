package transport

import "strings"

// scanner reads the value of a header from left to right (RFC 9110, 5.6).
type scanner struct{ rest string }

func (s *scanner) space() { s.rest = strings.TrimLeft(s.rest, " \t") }

// skip skips c if it is next.
func (s *scanner) skip(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// until returns the text before the first of some characters.
func (s *scanner) until(ends string) string {
	return s.take(strings.IndexAny(s.rest, ends))
}

// uri reads "<URI>".
func (s *scanner) uri() (string, bool) {
	if !s.skip('<') {
		return "", false
	}
	return s.until(">"), s.skip('>')
}

// parameter reads NAME, NAME=TOKEN or NAME="QUOTED", with optional spaces. It returns
// the name in lower case; a token ends at one of ends.
func (s *scanner) parameter(ends string) (name, value string, ok bool) {
	s.space()
	name = strings.ToLower(strings.TrimRight(s.until("="+ends), " \t"))
	value, ok = s.value(ends)
	return name, value, ok
}

// value reads =TOKEN or ="QUOTED", or nothing.
func (s *scanner) value(ends string) (value string, ok bool) {
	if !s.skip('=') {
		return "", true
	}
	if s.space(); strings.HasPrefix(s.rest, `"`) {
		return s.quoted()
	}
	return strings.TrimRight(s.until(ends), " \t"), true
}

// token reads the name of a scheme or a parameter; "" if none is next.
func (s *scanner) token() string {
	end := strings.IndexFunc(s.rest, func(r rune) bool {
		return !isAlphanumeric(r) && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	})
	return s.take(end)
}

// token68 skips the data of a scheme without parameters (RFC 9110, 11.2).
func (s *scanner) token68() {
	before := s.rest
	end := strings.IndexFunc(s.rest, func(r rune) bool { return !isAlphanumeric(r) && !strings.ContainsRune("-._~+/", r) })
	s.take(end)
	s.rest = strings.TrimLeft(s.rest, "=")
	if s.space(); s.rest != "" && s.rest[0] != ',' {
		s.rest = before
	}
}

// take returns the text before end, or all of it if end is negative.
func (s *scanner) take(end int) string {
	if end < 0 {
		end = len(s.rest)
	}
	found := s.rest[:end]
	s.rest = s.rest[end:]
	return found
}

func isAlphanumeric(r rune) bool {
	return '0' <= r && r <= '9' || 'A' <= r && r <= 'Z' || 'a' <= r && r <= 'z'
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
