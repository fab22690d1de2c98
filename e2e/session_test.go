package e2e

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// The session of the README: some steps of the demo as text, and a picture of that text.
const (
	sessionText    = "../docs/pictures/session.txt"
	sessionPicture = "../docs/pictures/session.svg"
)

// TestSessionPicture checks that the picture shows the text, which TestDemo checks against
// the demo.
func TestSessionPicture(t *testing.T) {
	picture, err := os.ReadFile(sessionPicture)
	if err != nil {
		t.Fatal(err)
	}
	if want := pictureOf(readSession(t)); string(picture) != want {
		t.Errorf("%s is not the picture of %s (make session writes both)", sessionPicture, sessionText)
	}
	checkXML(t, sessionPicture)
}

func readSession(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(sessionText)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The measures of the picture in pixels; a column is as wide as a character of that size in
// most monospaced fonts.
const (
	fontSize   = 13
	column     = 7.8
	lineHeight = 18
	margin     = 16
)

// pictureOf draws a session as an SVG. The same text gives the same bytes.
func pictureOf(session string) string {
	lines := strings.Split(strings.TrimSuffix(session, "\n"), "\n")
	columns := 0
	for _, line := range lines {
		columns = max(columns, utf8.RuneCountInString(line))
	}
	width, height := 2*margin+int(column*float64(columns)+1), 2*margin+lineHeight*len(lines)
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"%d\">\n",
		width, height, width, height, fontSize)
	b.WriteString("<title>A session of make demo</title>\n<desc>The commands of the demo and what they print.</desc>\n")
	fmt.Fprintf(&b, "<rect width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#1e1e1e\"/>\n", width, height)
	for i, line := range lines {
		style := `fill="#b8b8b8"`
		if strings.HasPrefix(line, "$ ") {
			style = `fill="#ffffff" font-weight="bold"`
		}
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" xml:space=\"preserve\" textLength=\"%.1f\" lengthAdjust=\"spacingAndGlyphs\" %s>",
			margin, margin+lineHeight*i+fontSize, column*float64(utf8.RuneCountInString(line)), style)
		_ = xml.EscapeText(&b, []byte(line)) // a Builder takes everything
		b.WriteString("</text>\n")
	}
	b.WriteString("</svg>\n")
	return b.String()
}
