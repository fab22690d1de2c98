package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// lineWidth is the number of characters in a line of prose. Tables, headings, code and what
// has no space to break at may be longer.
const lineWidth = 120

// unwrappedPages are written by make compare.
var unwrappedPages = []string{"docs/benchmarks.md"}

// TestLinesFit checks that the pages are wrapped; with -update it wraps them.
func TestLinesFit(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "README.md", "CONTRIBUTING.md") {
		if slices.Contains(unwrappedPages, page) {
			continue
		}
		text := readPage(t, page)
		wrapped := wrap(text)
		if wrapped == text {
			continue
		}
		if !*update {
			t.Errorf("%s is not wrapped at %d characters (go test ./docs -run TestLinesFit -update wraps it)", page, lineWidth)
		} else if err := os.WriteFile(page, []byte(wrapped), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWrap(t *testing.T) {
	long := strings.Repeat("word ", 30)
	for _, test := range []struct{ name, text, want string }{
		{"a paragraph", "a\nb\n", "a b\n"},
		{"a long one", long + "\n", strings.Repeat("word ", 23) + "word\n" + strings.Repeat("word ", 5) + "word\n"},
		{"a list", "- a\n  b\n- c\n", "- a b\n- c\n"},
		{"a numbered list", "1. a\n   b\n", "1. a b\n"},
		{"code", "```sh\na\nb\n```\n", "```sh\na\nb\n```\n"},
		{"a table", "| a |\n| b |\n", "| a |\n| b |\n"},
		{"code in a line", strings.Repeat("x ", 58) + "`a b c` d\n", strings.Repeat("x ", 57) + "x\n`a b c` d\n"},
		{"no list by a break", strings.Repeat("x ", 59) + "y - z\n", strings.Repeat("x ", 59) + "y -\nz\n"},
	} {
		if got := wrap(test.text); got != test.want {
			t.Errorf("%s: got\n%s", test.name, got)
		}
	}
}

var (
	listItem = regexp.MustCompile(`^(?:- |\d+\. )`)
	asIs     = regexp.MustCompile(`^(?:\||#|!\[|<|>|Next: )`) // a table, a heading, a picture, HTML, a quotation, the next page
	unbroken = regexp.MustCompile("`[^`]*`|\\]\\([^)]*\\)")
	marker   = regexp.MustCompile(`^(?:[-+*]|#+|[>|].*|\d+[.)])$`)
)

// wrap fills the paragraphs and the items of lists of a page. It does not break code.
func wrap(page string) string {
	var out, part []string
	indent := ""
	flush := func() {
		if len(part) > 0 {
			out = append(out, fill(strings.Join(part, " "), indent)...)
		}
		part, indent = nil, ""
	}
	fenced := false
	for line := range strings.SplitSeq(page, "\n") {
		trimmed := strings.TrimLeft(line, " ")
		switch {
		case strings.HasPrefix(trimmed, "```"):
			flush()
			fenced = !fenced
			out = append(out, line)
		case fenced || trimmed == "" || asIs.MatchString(line):
			flush()
			out = append(out, line)
		case listItem.MatchString(trimmed):
			flush()
			margin := line[:len(line)-len(trimmed)]
			indent = margin + strings.Repeat(" ", len(listItem.FindString(trimmed)))
			part = []string{margin + trimmed}
		default:
			if len(part) == 0 {
				indent = line[:len(line)-len(trimmed)]
				trimmed = line
			}
			part = append(part, trimmed)
		}
	}
	flush()
	return strings.Join(out, "\n")
}

// fill breaks a text into lines, the first as it begins and the others with an indent. No line
// but the first begins with what would make a list, a heading or a table of it.
func fill(text, indent string) []string {
	const space = "\x00"
	first := text[:len(text)-len(strings.TrimLeft(text, " "))]
	text = unbroken.ReplaceAllStringFunc(text, func(s string) string { return strings.ReplaceAll(s, " ", space) })
	var lines []string
	line := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= lineWidth || marker.MatchString(word):
			line += " " + word
		default:
			lines = append(lines, line)
			line = indent + word
		}
	}
	lines = append(lines, line)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], space, " ")
	}
	return lines
}

// oneLine returns a text with single spaces and no line breaks, to look for a sentence in.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

var crooked = regexp.MustCompile(`(?i)\b(?:nobody|somebody|whoever|that which|of which|anew)\b`)

// TestPagesAreInPlainEnglish looks for words that CONTRIBUTING.md asks to avoid.
func TestPagesAreInPlainEnglish(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "README.md", "CHANGELOG.md") {
		for _, word := range crooked.FindAllString(oneLine(readPage(t, page)), -1) {
			t.Errorf("%s says %q", page, word)
		}
	}
}

// TestCodeIsInPlainEnglish looks for the same words in comments, messages, tests and schemas.
func TestCodeIsInPlainEnglish(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir() || !slices.Contains([]string{".go", ".json", ".txtar", ".golden"}, filepath.Ext(path)) || path == "docs/lines_test.go":
			return nil
		}
		data, err := os.ReadFile(path)
		text := strings.NewReplacer("//", "", "http.NoBody", "").Replace(string(data))
		for _, word := range crooked.FindAllString(oneLine(text), -1) {
			t.Errorf("%s says %q", path, word)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
