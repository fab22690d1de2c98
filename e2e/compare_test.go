package e2e

import (
	"bytes"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	compare       = flag.Bool("compare", false, "compare with other tools, and write docs/benchmarks.md")
	compareRounds = flag.Int("compare.rounds", 3, "how often each contender does each work")
	compareBlob   = flag.Int("compare.blob", 1024, "MiB of the large blob")
	compareMany   = flag.Int("compare.many", 100_000, "how many artifacts are many")
)

// TestCompare measures what the program takes for some works, and what others
// take for the same. There is no such test without -compare: it takes the
// machine for itself, for the better part of an hour. All processes are on
// loopback, and the contenders take turns. A limit that is missed is no failure of
// the test, since a busy machine misses it, but stands in the document.
func TestCompare(t *testing.T) {
	if !*compare {
		return
	}
	if os.Getenv("RACE") != "" {
		t.Fatal("a program with the race detector is not to be measured")
	}
	doc := newDocument()
	all := works()
	for _, w := range all {
		t.Run(w.short, func(t *testing.T) {
			results := w.compare(t)
			text := doc.add(w, results)
			t.Log("\n" + text)
		})
	}
	if t.Failed() || len(doc.parts) < len(all) {
		return // of a part of it no document is made
	}
	if err := os.WriteFile(filepath.Join("..", "docs", "benchmarks.md"), []byte(doc.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// work is something that several contenders do.
type work struct {
	short      string // for -run
	title      string
	contenders []contender
	limits     []limit
	input      []string // commands that make what a restore reads; the works that have it push
	copies     bool     // from HOST to TARGET, which is empty and as slow
}

// contender is one way to do it.
type contender struct {
	name   string
	source cargo
	// steps are command lines, one after the other, in an empty folder. HOST is
	// the registry. The first word is oras-mirror, oras, skopeo, or floor, whose
	// words are connections, what to write, and options; "< FILE" is a pipe.
	steps []string
}

// figures are what one turn of one contender took.
type figures struct {
	wall, cpu time.Duration
	memory    int64 // bytes, the most that one of its processes had
	requests  map[string]int
}

// results are those of all turns, by contender.
type results map[string][]figures

// compare lets the contenders take turns.
func (w work) compare(t *testing.T) results {
	d := newDesk(t)
	sources := make(map[cargo]*comparisonRegistry)
	source := func(c cargo) *comparisonRegistry {
		if sources[c] == nil {
			sources[c] = startComparisonRegistry(t, c)
		}
		return sources[c]
	}
	for _, line := range w.input {
		r := source(w.contenders[0].source)
		d.step(line, r.Host, w.contenders[0].source)
	}
	all := make(results)
	for range *compareRounds {
		for _, c := range w.contenders {
			if !c.installed(t) {
				continue
			}
			if w.copies {
				target := startComparisonRegistry(t, cargo{Delay: c.source.Delay})
				one := d.aside()
				one.target = target.Host
				all[c.name] = append(all[c.name], c.turn(one, source(c.source)))
				target.stop()
				continue
			}
			if w.input == nil {
				all[c.name] = append(all[c.name], c.turn(d.aside(), source(c.source)))
				continue
			}
			target := startComparisonRegistry(t, cargo{})
			all[c.name] = append(all[c.name], c.turn(d, target))
			target.stop()
		}
	}
	return all
}

func (c contender) installed(t *testing.T) bool {
	if !strings.HasPrefix(c.steps[0], "skopeo ") {
		return true
	}
	_, err := exec.LookPath("skopeo")
	if err != nil {
		t.Log(err)
	}
	return err == nil
}

// aside is the same desk with another, empty folder.
func (d *desk) aside() *desk {
	d.t.Helper()
	dir := d.path("turn")
	if err := os.RemoveAll(dir); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		d.t.Fatal(err)
	}
	return &desk{t: d.t, Dir: dir, home: d.home}
}

func (c contender) turn(d *desk, r *comparisonRegistry) figures {
	flush()
	r.requests()
	var f figures
	for _, line := range c.steps {
		one := d.step(line, r.Host, c.source)
		f.wall += one.wall
		f.cpu += one.cpu
		f.memory = max(f.memory, one.memory)
	}
	f.requests = r.requests()
	return f
}

// step runs one command line, which must succeed.
func (d *desk) step(line, host string, source cargo) figures {
	d.t.Helper()
	line, stdin, _ := strings.Cut(line, " < ")
	words := strings.Fields(strings.NewReplacer("HOST", host, "TARGET", d.target).Replace(line))
	var cmd *exec.Cmd
	switch words[0] {
	case "oras-mirror":
		cmd = d.command(program, words[1:]...)
	case "oras", "crane", "regctl":
		cmd = d.command(tool(d.t, words[0]), words[1:]...)
	case "floor":
		cmd = bare(words[1:], host, d.target, source)
		cmd.Dir = d.Dir
	default:
		cmd = d.command(words[0], words[1:]...)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if stdin != "" {
		in, err := os.Open(d.path(stdin))
		if err != nil {
			d.t.Fatal(err)
		}
		defer in.Close()
		cmd.Stdin = struct{ io.Reader }{in} // without its other methods a file comes through a pipe
	}
	began := time.Now()
	err := cmd.Run()
	took := time.Since(began)
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", line, err, said.String())
	}
	p := cmd.ProcessState
	return figures{wall: took, cpu: p.UserTime() + p.SystemTime(), memory: peak(p)}
}

// bare makes the process of a floor from the words of its line.
func bare(words []string, host, target string, source cargo) *exec.Cmd {
	f := floor{Host: host, Target: target, Repos: source.repos(), Connections: 16, Output: words[0]}
	f.Files = strings.HasSuffix(f.Output, "/")
	f.Referrers = slices.Contains(words, "referrers")
	if slices.Contains(words, "single") {
		f.Connections = 1
	}
	return again("floor", f)
}
