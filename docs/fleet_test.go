package docs

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/stories"
	"github.com/oras-mirror/oras-mirror/internal/text"
)

// The assumptions of the model in docs/fleet.md.
const (
	modelArtifacts = 2_500_000
	modelBytes     = 400e6 // of an artifact
	modelRate      = 600   // requests a second and machine
	modelSpeed     = 400e6 // bytes a second and machine
	modelMemory    = 8     // KiB of the plan for an artifact
	modelEntry     = 1100  // bytes of index.json for an artifact
	modelSource    = 40e9  // bits a second of a registry

	requestsFirst, requestsAgain, requestsRestore, requestsRestored = 5 + 5 + 12, 1 + 5, 2*12 + 5 + 1 + 1, 3 + 1
)

// row renders a row of a table with a number for each of the counts of shards in the page.
func row(name, format string, of func(shards float64) float64) string {
	line := "| " + name + " |"
	for _, shards := range []float64{1, 16, 64, 256} {
		line += " " + thousands(fmt.Sprintf(format, of(shards))) + " |"
	}
	return line
}

// thousands separates the groups of a whole number, before a unit.
func thousands(s string) string {
	number, unit, _ := strings.Cut(s, " ")
	var n int
	if _, err := fmt.Sscan(number, &n); err == nil && !strings.Contains(number, ".") {
		number = text.Thousands(n)
	}
	return strings.TrimSpace(number + " " + unit)
}

// TestFleetModel computes the tables of docs/fleet.md from its assumptions.
func TestFleetModel(t *testing.T) {
	page, err := os.ReadFile("docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	hours := func(requests float64) func(float64) float64 {
		return func(n float64) float64 { return requests * modelArtifacts / modelRate / n / 3600 }
	}
	bytes := func(n float64) float64 { return modelArtifacts * modelBytes / modelSpeed / n / 3600 }
	want := []string{
		"| hours for the bytes | " + fmt.Sprintf("%.0f | %.1f | %.1f | %.1f |", bytes(1), bytes(16), bytes(64), bytes(256)),
		row("hours for the requests of the first backup", "%.1f", hours(requestsFirst)),
		row("hours with nothing new", "%.1f", hours(requestsAgain)),
		fmt.Sprintf("| Gbit/s that the source has to deliver | %.1f | %.0f | %.0f | %.0f |", 8*modelSpeed/1e9, 16*8*modelSpeed/1e9, 64*8*modelSpeed/1e9, 256*8*modelSpeed/1e9),
		row("artifacts of a shard", "%.0f", func(n float64) float64 { return float64(int(modelArtifacts / n)) }),
		row("memory for the plan of a shard", "%.0f MiB", func(n float64) float64 { return modelArtifacts * modelMemory / n / 1024 }),
		row("index.json of a shard", "%.0f MB", func(n float64) float64 { return modelArtifacts * modelEntry / n / 1e6 }),
		fmt.Sprintf("delivers 40 Gbit/s needs %.1f hours", modelArtifacts*modelBytes*8/modelSource/3600),
		fmt.Sprintf("enough for about %s artifacts", text.Thousands((128+64)*1024/modelMemory/1000*1000)),
	}
	for n, name := range map[int]string{requestsFirst: "12 blobs", requestsAgain: "5 lists of referrers", requestsRestore: "HEAD of the tag", requestsRestored: "a list of referrers"} {
		want = append(want, fmt.Sprintf("%s | %d | %s |", name, n, text.Thousands(n*modelArtifacts)))
	}
	for _, line := range want {
		if !strings.Contains(string(page), line) {
			t.Errorf("the page lacks %q", line)
		}
	}
}

// TestFleetCommands parses the command lines of the page.
func TestFleetCommands(t *testing.T) {
	for _, shown := range blocks(t, "docs/fleet.md", "sh") {
		for line := range strings.Lines(shown) {
			for _, args := range stories.CommandLines(line) {
				parses(t, args)
			}
		}
	}
}
