package docs

import (
	"fmt"
	"math"
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
		if !strings.Contains(oneLine(string(page)), line) {
			t.Errorf("the page lacks %q", line)
		}
	}
}

// The assumptions about a bucket.
const (
	modelShards    = 64
	modelManifests = 5
	modelLayers    = 8
	modelBlobs     = 12
	layerBytes     = 50e6
	partBytes      = 8 << 20
	objectBytes    = 5e12 // of the largest object

	pricePut   = 0.005 / 1000 // $ of a PUT, POST or LIST
	priceGet   = 0.0004 / 1000
	priceMonth = 0.023 / 1e9 // $ of a byte
)

// TestFleetModelOfABucket computes what 1 PB costs in a bucket.
func TestFleetModelOfABucket(t *testing.T) {
	page, err := os.ReadFile("docs/fleet.md")
	if err != nil {
		t.Fatal(err)
	}
	cost := func(of float64) string {
		if of >= 10_000 {
			return thousands(fmt.Sprintf("%.0f $", of))
		}
		return fmt.Sprintf("%.2f $", of)
	}
	line := func(name string, n int, price float64) string {
		return fmt.Sprintf("%s | %d | %s | %s |", name, n, text.Thousands(n*modelArtifacts), cost(float64(n*modelArtifacts)*price))
	}
	perLayer := int(math.Ceil(layerBytes/partBytes)) + 2
	puts := modelManifests + modelBlobs - modelLayers + perLayer*modelLayers
	objects := (modelManifests + modelBlobs) * modelArtifacts / modelShards
	lists := 2 + 256*int(math.Ceil(float64(objects)/256/1000))
	seconds := float64(modelArtifacts) * modelBytes / modelSpeed / modelShards
	writes := int(seconds / 300)
	entry := float64(modelArtifacts) * modelEntry
	shardBytes := float64(modelArtifacts) * modelBytes / modelShards
	bundles := math.Ceil(modelArtifacts * modelBytes / objectBytes)
	part := objectBytes / 9000
	for _, want := range []string{
		fmt.Sprintf("%d requests", perLayer),
		line(fmt.Sprintf("and %d for each of %d layers", perLayer, modelLayers), puts, pricePut),
		line("may have new referrers", 1, priceGet),
		fmt.Sprintf("%d for %s | | %s | %s |", lists, text.Thousands(objects), text.Thousands(lists*modelShards), cost(float64(lists*modelShards)*pricePut)),
		line("GET of 5 manifests and 12 blobs", modelManifests+modelBlobs, priceGet),
		"0.4 GB | 1,000,000 GB | " + cost(modelArtifacts*modelBytes*priceMonth),
		fmt.Sprintf("%s PUT a second", text.Thousands(int(float64(puts)*modelArtifacts/seconds))),
		fmt.Sprintf("written %d times in the first backup, half as long on average: %.1f GB for a shard, %.0f GB for all", writes,
			float64(writes)*entry/modelShards/2/1e9, float64(writes)*entry/2/1e9),
		fmt.Sprintf("%d writers would send %.0f MB a second", modelShards, modelShards*entry/300/1e6),
		fmt.Sprintf("A shard of %d has %s GB", modelShards, text.Thousands(int(shardBytes/1e9))),
		fmt.Sprintf("at least %.0f shards, with parts of %.0f MB", bundles, part/1e6),
		fmt.Sprintf("%s GET or %s for all", text.Thousands(modelManifests*modelArtifacts), cost(modelManifests*modelArtifacts*priceGet)),
	} {
		if !strings.Contains(oneLine(string(page)), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if need := 3 * part * 1.01 / (1 << 20); need > 1650 || need < 1500 {
		t.Errorf("parts of %.0f MB need a buffer of %.0f MiB", part/1e6, need)
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
