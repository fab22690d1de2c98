package discover

import (
	"strconv"
	"strings"
)

// step is a part of the path of a value: a key of a mapping, or an element of a list.
type step struct {
	key   string
	index int // of an element, which has no key
}

// trail is the path of a value, from the root of its document.
type trail []step

// String returns the path as messages show it: spec.containers[0].image.
func (t trail) String() string {
	var b strings.Builder
	for _, s := range t {
		switch {
		case s.key == "":
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case b.Len() == 0:
			b.WriteString(s.key)
		default:
			b.WriteString("." + s.key)
		}
	}
	return b.String()
}

// pattern returns the path with any number of elements of a list as [].
func (t trail) pattern() string {
	var b strings.Builder
	for _, s := range t {
		if s.key == "" {
			b.WriteString("[]")
		} else {
			b.WriteString("." + s.key)
		}
	}
	return b.String()
}

// last returns the key of a value, or that of the list that it is in.
func (t trail) last() string {
	for i := len(t) - 1; i >= 0; i-- {
		if t[i].key != "" {
			return t[i].key
		}
	}
	return ""
}

// pointer returns the trail of a JSON pointer (RFC 6901), as patches have it.
func pointer(text string) trail {
	var t trail
	for part := range strings.SplitSeq(strings.TrimPrefix(text, "/"), "/") {
		n, err := strconv.Atoi(part)
		switch {
		case err == nil:
			t = append(t, step{index: n})
		case part == "-":
			t = append(t, step{})
		default:
			t = append(t, step{key: strings.NewReplacer("~1", "/", "~0", "~").Replace(part)})
		}
	}
	return t
}
