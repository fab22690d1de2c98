package migrate

import (
	"regexp/syntax"
	"strings"
	"unicode"

	"github.com/Masterminds/semver/v3"
)

// wholeTag returns an expression that matches a whole tag exactly if expr matches somewhere in
// it: other tools search, a mirror spec matches from start to end.
func wholeTag(expr string) (string, error) {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", err
	}
	if isAnchored(parsed) && strings.HasPrefix(expr, "^") && strings.HasSuffix(expr, "$") && len(expr) > 2 {
		return expr[1 : len(expr)-1], nil
	}
	return `.*(?:` + expr + `).*`, nil
}

// isAnchored reports whether an expression is a sequence from the start to the end of a text.
func isAnchored(re *syntax.Regexp) bool {
	return re.Op == syntax.OpConcat && len(re.Sub) > 2 && re.Sub[0].Op == syntax.OpBeginText && re.Sub[len(re.Sub)-1].Op == syntax.OpEndText
}

// globs returns globs that match the same tags as an expression that is searched, or false if
// there are none.
func globs(expr string) ([]string, bool) {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil || !isAnchored(parsed) {
		return nil, false
	}
	inner := parsed.Sub[1 : len(parsed.Sub)-1]
	if len(inner) == 1 {
		return alternatives(inner[0])
	}
	glob, ok := globOf(&syntax.Regexp{Op: syntax.OpConcat, Sub: inner})
	return []string{glob}, ok
}

// alternatives returns a glob for each alternative.
func alternatives(re *syntax.Regexp) ([]string, bool) {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	choices := []*syntax.Regexp{re}
	if re.Op == syntax.OpAlternate {
		choices = re.Sub
	}
	var all []string
	for _, c := range choices {
		glob, ok := globOf(c)
		if !ok {
			return nil, false
		}
		all = append(all, glob)
	}
	return all, true
}

// globOf returns the glob of an expression, if there is one that matches exactly the same.
// A tag has no slash and no line break, so that any character is a "?" of a glob.
func globOf(re *syntax.Regexp) (string, bool) {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase != 0 && hasLetters(re.Rune) {
			return "", false
		}
		return escapeGlob(string(re.Rune)), true
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "?", true
	case syntax.OpStar, syntax.OpPlus:
		if op := re.Sub[0].Op; op != syntax.OpAnyChar && op != syntax.OpAnyCharNotNL {
			return "", false
		}
		if re.Op == syntax.OpPlus {
			return "?*", true
		}
		return "*", true
	case syntax.OpCharClass:
		return classOf(re.Rune)
	case syntax.OpCapture:
		return globOf(re.Sub[0])
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			glob, ok := globOf(sub)
			if !ok {
				return "", false
			}
			b.WriteString(glob)
		}
		return b.String(), true
	}
	return "", false
}

func hasLetters(runes []rune) bool {
	for _, r := range runes {
		if unicode.IsLetter(r) {
			return true
		}
	}
	return false
}

// classOf returns a class of letters and digits; other classes have characters that mean
// something else in a glob, or are too large to be read.
func classOf(pairs []rune) (string, bool) {
	var b strings.Builder
	for i := 0; i+1 < len(pairs); i += 2 {
		low, high := pairs[i], pairs[i+1]
		if high > unicode.MaxASCII || !isWord(low) || !isWord(high) {
			return "", false
		}
		b.WriteRune(low)
		if high > low {
			b.WriteByte('-')
			b.WriteRune(high)
		}
	}
	return "[" + b.String() + "]", b.Len() > 0
}

func isWord(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func escapeGlob(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`*?[]{}\`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// keyPattern returns the expression whose only group is the one of that name, for a whole tag.
func keyPattern(expr, name string) (string, bool) {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return "", false
	}
	only, found := onlyGroup(parsed, name)
	if !found {
		return "", false
	}
	if isAnchored(only) {
		only.Sub = only.Sub[1 : len(only.Sub)-1]
		return only.String(), true
	}
	return `.*?(?:` + only.String() + `).*`, true
}

// onlyGroup removes the groups with other names, or without one.
func onlyGroup(re *syntax.Regexp, name string) (*syntax.Regexp, bool) {
	found := false
	for i, sub := range re.Sub {
		only, ok := onlyGroup(sub, name)
		re.Sub[i], found = only, found || ok
	}
	switch {
	case re.Op != syntax.OpCapture:
		return re, found
	case re.Name == name:
		re.Name = ""
		return re, true
	}
	return re.Sub[0], found
}

func checkConstraint(s string) error {
	if s == "" {
		return nil
	}
	_, err := semver.NewConstraint(s)
	return err
}
