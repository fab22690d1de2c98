package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var (
	compare         = flag.Bool("compare", false, "compare with other tools, and write docs/benchmarks.md")
	compareFolder   = flag.String("compare.folder", filepath.Join("..", "docs"), "where benchmarks.md and benchmarks.json are")
	compareRewrite  = flag.Bool("compare.rewrite", false, "measure nothing, but write the document again")
	compareRounds   = flag.Int("compare.rounds", 3, "how often each contender does each work")
	comparePatience = flag.Duration("compare.patience", 30*time.Second, "a contender that took so long for a work gets no more rounds")
	compareBlob     = flag.Int("compare.blob", 1024, "MiB of the large blob")
	compareLayer    = flag.Int("compare.layer", 32, "MiB of each of 18 layers")
	compareServed   = flag.Int("compare.served", 72, "MiB of each of the 8 layers to serve")
	compareMany     = flag.Int("compare.many", 100_000, "how many artifacts are many")
)

// TestCompare measures what the program takes for some works, and what others
// take for the same. There is no such test without -compare: it takes the
// machine for itself, for half an hour. All processes are on loopback, and the
// contenders take turns. A limit that is missed is no failure of the test,
// since a busy machine misses it, but stands in the document. Each work that is
// done replaces its part of the document; the others keep theirs, so -run
// selects works: 'TestCompare$/^(serve|delta)$'.
func TestCompare(t *testing.T) {
	if !*compare {
		return
	}
	if os.Getenv("RACE") != "" {
		t.Fatal("a program with the race detector is not to be measured")
	}
	if *compareRewrite {
		rewrite(t, loadMeasurements(t, *compareFolder))
		return
	}
	for _, w := range works() {
		t.Run(w.short, func(t *testing.T) {
			r := w.compare(t)
			measured := loadMeasurements(t, *compareFolder)
			measured[w.short] = newMeasurement(r)
			saveMeasurements(t, *compareFolder, measured)
			rewrite(t, measured)
			t.Log("\n" + w.describe(measured[w.short]) + "\n" + w.verdicts(measured[w.short]))
		})
	}
}

// rewrite writes the document.
func rewrite(t *testing.T, measured map[string]measurement) {
	t.Helper()
	text := document(works(), measured)
	if err := os.WriteFile(filepath.Join(*compareFolder, "benchmarks.md"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// work is something that several contenders do.
type work struct {
	short      string // for -run
	title      string
	note       string // about the work, below its title
	contenders []contender
	limits     []limit
	jobs       []job    // what a reader expects of it
	input      []string // commands that make what the turns read, once, in the folder above theirs
	changes    bool     // the source changes after the input was made
}

// contender is one way to do it.
type contender struct {
	name   string
	source cargo
	// steps are command lines, one after the other, in an empty folder. HOST is
	// the registry with the cargo, TARGET an empty one that is as slow. A bucket is
	// there if the lines of the work name one: an empty one for each turn, or the one
	// that the input went to. The first word is oras-mirror, another tool, or floor,
	// whose words are what to do, and options; "< FILE" is a pipe.
	steps []string
	// server is the command line of a server, which runs in the folder of the input.
	// The steps are requests to it at HOST, and what is measured is its.
	server string
	warm   bool // the server has had the same requests before
}

// compare lets the contenders take turns.
func (w work) compare(t *testing.T) results {
	s := newStage(t, w)
	for _, line := range w.input {
		s.desk.step(line, s.words(s.source(w.contenders[0].source)), w.contenders[0].source)
	}
	if w.changes {
		s.source(w.contenders[0].source).tell("change")
	}
	all := make(results)
	took := make(map[string]float64)
	for range *compareRounds {
		for _, c := range w.contenders {
			if took[c.name] > comparePatience.Seconds() || !c.installed(t) {
				continue
			}
			f := s.turn(c)
			all[c.name] = append(all[c.name], f)
			took[c.name] += f.Seconds
		}
	}
	return all
}
