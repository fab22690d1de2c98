package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
)

func TestFinishedLines(t *testing.T) {
	p := &progress{}
	for i := range 25_000 {
		p.Finished(engine.ArtifactReport{Reference: fmt.Sprintf("a.io/b:%d", i), Bytes: 2048})
	}
	lines := p.take()
	if lines[0] != "a.io/b:0 (2.0 KiB)" {
		t.Errorf("the first line is %q", lines[0])
	}
	rest := strings.Join(lines[namedArtifacts:], "\n")
	want := strings.Join([]string{
		"600 artifacts done", "700 artifacts done", "800 artifacts done", "900 artifacts done", "1,000 artifacts done",
		"2,000 artifacts done", "3,000 artifacts done", "4,000 artifacts done", "5,000 artifacts done", "6,000 artifacts done",
		"7,000 artifacts done", "8,000 artifacts done", "9,000 artifacts done", "10,000 artifacts done", "20,000 artifacts done",
	}, "\n")
	if rest != want {
		t.Errorf("got\n%s\nwant\n%s", rest, want)
	}
	if more := p.take(); len(more) != 0 {
		t.Errorf("taken twice: %q", more)
	}
}

func TestFinishedLineOfRestore(t *testing.T) {
	got := finishedLine(engine.ArtifactReport{Reference: "a.io/b:c", Target: "b.io/b:c", Bytes: 1})
	if want := "a.io/b:c -> b.io/b:c (1 B)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLogHeartbeat(t *testing.T) {
	var out bytes.Buffer
	s := &logScreen{w: &out}
	start := time.Now()
	s.show(start, nil, standing{})
	s.show(start.Add(29*time.Second), []string{"a.io/b:c (1 B)"}, standing{listed: 2})
	s.show(start.Add(30*time.Second), nil, standing{listed: 400, resolved: 120})
	s.show(start.Add(31*time.Second), nil, standing{listed: 400, resolved: 400, expected: 100})
	s.show(start.Add(60*time.Second), nil, standing{listed: 400, finished: 12, failed: 1, moved: 30 << 20, expected: 60 << 20})
	want := `a.io/b:c (1 B)
resolved 120 of 400 references
12 of 400 artifacts, 1 failed, 30 MiB of 60 MiB, 1.0 MiB/s, about 30 s left
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestBarPrintsLinesAboveIt(t *testing.T) {
	var out bytes.Buffer
	s := &barScreen{w: &out, columns: func() int { return 100 }}
	s.show(time.Now(), nil, standing{listed: 3, resolved: 1})
	s.show(time.Now(), nil, standing{listed: 3, expected: 100, moved: 10, moving: "a.io/some/repository"})
	s.show(time.Now(), []string{"a.io/b:c (1 B)"}, standing{listed: 3, finished: 1, expected: 100, moved: 100})
	s.show(time.Now(), nil, standing{listed: 3, finished: 1, expected: 300, moved: 200})
	s.close()
	got := out.String()
	for _, want := range []string{"resolved 1 of 3 references", "0/3 a.io/some/repository", "\033[2Ka.io/b:c (1 B)\n\r1/3", "200/301"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if !strings.HasSuffix(got, "\r\033[2K") {
		t.Errorf("the bar stays: %q", got)
	}
}

func TestBarFitsTheTerminal(t *testing.T) {
	var out bytes.Buffer
	s := &barScreen{w: &out, columns: func() int { return 80 }}
	at := standing{listed: 100_000, finished: 99_999, failed: 12_345, moving: strings.Repeat("long/", 40), expected: 999 << 30, moved: 998 << 30}
	s.show(time.Now(), nil, at)
	s.show(time.Now(), nil, at)
	for line := range strings.SplitSeq(out.String(), "\r") {
		line = strings.NewReplacer("\033[2K", "", "\033[0K", "").Replace(line)
		if n := len([]rune(strings.TrimRight(line, " "))); n > 80 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

// stuckWriter is a terminal that is held with ^S.
type stuckWriter struct{ released chan struct{} }

func (w stuckWriter) Write(p []byte) (int, error) {
	<-w.released
	return len(p), nil
}

func TestProgressNeverBlocks(t *testing.T) {
	w := stuckWriter{make(chan struct{})}
	p := startProgress(&ui{stderr: w, columns: func() int { return 80 }})
	p.Listed(1000)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 1000 {
				p.Resolved("")
				p.Expect(1, 10)
				p.Moving("a.io/b", 10)
				p.Moved(10)
				p.Notice("something")
				p.Finished(engine.ArtifactReport{Reference: "a.io/b:c"})
				p.Failed(engine.ArtifactReport{})
			}
		})
	}
	group.Wait() // for ever, if one of them waits for the terminal
	close(w.released)
	p.close()
	if at := p.standing(); at.finished != 8000 || at.moved != 80_000 || at.done() != 16_000 {
		t.Errorf("got %+v", at)
	}
}

func TestClip(t *testing.T) {
	for _, test := range []struct {
		text    string
		columns int
		want    string
	}{{"short", 10, "short"}, {"a.io/b/c:1.2.3", 6, "…1.2.3"}, {"anything", 1, ""}, {"anything", -5, ""}} {
		if got := clip(test.text, test.columns); got != test.want {
			t.Errorf("%q in %d: got %q, want %q", test.text, test.columns, got, test.want)
		}
	}
}
