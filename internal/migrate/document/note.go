package document

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Note is something in a file that the mirror spec does not say, or says in another way.
type Note struct {
	Line int    // in the file
	Key  string // where, such as sync[0].schedule; "" in a list
	Text string
	More int // further places with the same text
}

func (n Note) String() string {
	text := n.Text
	if n.Key != "" {
		text = n.Key + ": " + text
	}
	if n.More > 0 {
		text += fmt.Sprintf(" (and %d more)", n.More)
	}
	return text
}

// userInfo matches the credentials in a URL.
var userInfo = regexp.MustCompile(`://[^/\s]*@`)

// Comment returns a text for a comment: one line of printable characters, short, and without
// the credentials of a URL.
func Comment(s string) string {
	s = userInfo.ReplaceAllString(strings.Join(strings.Fields(s), " "), "://")
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > 300 {
		return string(runes[:300]) + "..."
	}
	return s
}

// JoinNotes sorts notes by line, and joins those with the same text.
func JoinNotes(all []Note) []Note {
	var joined []Note
	at := make(map[string]int)
	slices.SortStableFunc(all, func(a, b Note) int { return a.Line - b.Line })
	for _, n := range all {
		if i, ok := at[n.Text]; ok {
			joined[i].More++
			continue
		}
		at[n.Text] = len(joined)
		joined = append(joined, n)
	}
	return joined
}
