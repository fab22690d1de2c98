package docs

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/stories"
)

// TestEventsOfTheDocumentation checks the examples in docs/events.md against the schema.
func TestEventsOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile("docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```json\n")
	example, _, _ = strings.Cut(example, "```")
	all, err := stories.ParseEvents(example)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range all {
		kinds = append(kinds, e.Event)
		if !strings.Contains(string(text), "| `"+e.Event+"` |") {
			t.Errorf("%s is not explained", e.Event)
		}
	}
	if got := strings.Join(slices.Compact(kinds), " "); got != "start progress artifact listening request notice error end" {
		t.Errorf("the examples are %s", got)
	}
	for _, line := range blocks(t, "docs/events.md", "sh") {
		for command := range strings.Lines(line) {
			for _, args := range stories.CommandLines(command) {
				parses(t, stories.WithoutRedirections(args))
			}
		}
	}
}
