package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/exit"
)

// chapter is a page in the index of the book.
type chapter struct{ title, page string }

var chapterLine = regexp.MustCompile(`(?m)^- \[([^]]+)\]\(([^)]+)\): (?:.|\n  )*\?`)

// book returns the pages in the order of docs/README.md.
func book(t *testing.T) []chapter {
	t.Helper()
	var chapters []chapter
	for _, m := range chapterLine.FindAllStringSubmatch(readPage(t, "docs/README.md"), -1) {
		chapters = append(chapters, chapter{m[1], m[2]})
	}
	return chapters
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestBookHasEveryPage checks that the index names each page once, by its title and with the
// question that it answers.
func TestBookHasEveryPage(t *testing.T) {
	var listed []string
	for _, c := range book(t) {
		listed = append(listed, "docs/"+c.page)
		if title, _, _ := strings.Cut(readPage(t, "docs/"+c.page), "\n"); title != "# "+c.title {
			t.Errorf("docs/README.md calls docs/%s %q, its title is %q", c.page, c.title, title)
		}
	}
	slices.Sort(listed)
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = slices.DeleteFunc(pages, func(p string) bool { return filepath.Base(p) == "README.md" })
	if !slices.Equal(listed, pages) {
		t.Errorf("docs/README.md lists, with a question,\n%v\nthe pages are\n%v", listed, pages)
	}
}

// TestEachPageLinksToTheNext walks the book from the index to CONTRIBUTING.md.
func TestEachPageLinksToTheNext(t *testing.T) {
	page := "README.md"
	for _, next := range append(book(t), chapter{"Contributing", "../CONTRIBUTING.md"}) {
		want := "\n\nNext: [" + next.title + "](" + next.page + ")\n"
		if text := readPage(t, "docs/"+page); !strings.HasSuffix(text, want) {
			t.Errorf("docs/%s does not end with %q", page, strings.TrimSpace(want))
		}
		page = next.page
	}
}

var (
	pageLink = regexp.MustCompile(`\]\(([^)\s]*)\)`)
	codeSpan = regexp.MustCompile("`[^`\n]*`")
	title    = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noAnchor = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// TestLinksLeadSomewhere follows each relative link of the pages, also to its heading.
func TestLinksLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	followed := 0
	for _, page := range append(pages, "README.md", "CONTRIBUTING.md", "CHANGELOG.md") {
		text := codeSpan.ReplaceAllString(codeBlock.ReplaceAllString(readPage(t, page), ""), "")
		for _, m := range pageLink.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			followed++
			path, anchor, hasAnchor := strings.Cut(m[1], "#")
			target := page
			if path != "" {
				target = filepath.Join(filepath.Dir(page), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			} else if hasAnchor && !slices.Contains(anchors(readPage(t, target)), anchor) {
				t.Errorf("%s links to %s: no such heading", page, m[1])
			}
		}
	}
	if followed < 80 {
		t.Errorf("only %d links were found", followed)
	}
}

// anchors returns the anchors that GitHub makes of the headings of a page.
func anchors(page string) []string {
	var all []string
	for _, m := range title.FindAllStringSubmatch(codeBlock.ReplaceAllString(page, ""), -1) {
		text := noAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(text, " ", "-"))
	}
	return all
}

// TestFormatsNameEverySchema fails when no page about formats links to a schema.
func TestFormatsNameEverySchema(t *testing.T) {
	pages := readPage(t, "docs/formats.md") + readPage(t, "docs/json.md")
	files, err := filepath.Glob("schemas/*.schema.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		if !strings.Contains(pages, "](../"+file+")") {
			t.Errorf("neither docs/formats.md nor docs/json.md links to %s", file)
		}
	}
}

var (
	codeRow    = regexp.MustCompile(`(?m)^\| (\d[\d, ]*) \| ([^|]+) \|`)
	commandRow = regexp.MustCompile("(?m)^\\| `(\\w+)` \\|")
)

// TestExitCodes checks that docs/exit-codes.md says of each code what the README says, that
// these are the codes of the program, and that the commands in its table exist.
func TestExitCodes(t *testing.T) {
	page := readPage(t, "docs/exit-codes.md")
	rows := codeRow.FindAllStringSubmatch(readPage(t, "README.md"), -1)
	var codes []string
	for _, row := range rows {
		codes = append(codes, row[1])
		if !strings.Contains(page, "\n"+row[0]) {
			t.Errorf("docs/exit-codes.md lacks %s", row[0])
		}
	}
	want := []string{"0"}
	for _, status := range []exit.Status{exit.Failed, exit.InvalidUsage, exit.Partial, exit.Drift, exit.Unverified} {
		want = append(want, strconv.Itoa(int(status)))
	}
	if want = append(want, "130, 143"); !slices.Equal(codes, want) {
		t.Errorf("the README has the codes %q, the program %q", codes, want)
	}
	named := make(map[string]bool)
	for _, command := range leaves(t) {
		named[command.Name] = true
	}
	commands := commandRow.FindAllStringSubmatch(page, -1)
	for _, m := range commands {
		if !named[m[1]] {
			t.Errorf("docs/exit-codes.md has a command %s", m[1])
		}
	}
	if len(commands) < 12 {
		t.Errorf("only %d commands were found", len(commands))
	}
}
