package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
)

func TestFinishedLines(t *testing.T) {
	u := newUI(Streams{})
	var lines []string
	for i := range 25_000 {
		lines = append(lines, u.finished(engine.ArtifactReport{Reference: fmt.Sprintf("a.io/b:%d", i), Bytes: 2048}, i+1)...)
	}
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
}

func TestFinishedLineOfRestore(t *testing.T) {
	got := finishedLine(engine.ArtifactReport{Reference: "a.io/b:c", Target: "b.io/b:c", Bytes: 1})
	if want := "a.io/b:c -> b.io/b:c (1 B)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFailuresAreToldOnce(t *testing.T) {
	var out bytes.Buffer
	u := newUI(Streams{Stderr: &out})
	p := newProgress(u, &logScreen{w: &out})
	gone := engine.ArtifactReport{Reference: "a.io/b:v2", Err: &engine.ArtifactError{Reference: "a.io/b:v2", Op: "fetch", Err: errors.New("gone")}}
	p.Finished(engine.ArtifactReport{Reference: "a.io/b:v1", Bytes: 1})
	p.Failed(gone)
	p.Failed(engine.ArtifactReport{Reference: "a.io/b:v3", Err: engine.ErrUnfinished})
	p.show(time.Now())
	late := engine.ArtifactReport{Reference: "a.io/b:v4", Err: errors.New("late")}
	_ = u.conclude(backupWords, &engine.Report{Artifacts: []engine.ArtifactReport{{Reference: "a.io/b:v1"}, gone, late}, Output: "x.tgz"}, nil)
	want := `a.io/b:v1 (1 B)
oras-mirror: error: a.io/b:v2: fetch: gone
oras-mirror: error: a.io/b:v4: late
backed up 1 of 3 artifacts to x.tgz: 0 B fetched, 0 B shared, 0.00 s
failed, for the reasons above: a.io/b:v2, a.io/b:v4
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

func TestQuietTellsFailures(t *testing.T) {
	var out bytes.Buffer
	u := newUI(Streams{Stderr: &out})
	u.quiet = true
	p := newProgress(u, u.screen())
	p.Finished(engine.ArtifactReport{Reference: "a.io/b:v1"})
	p.Notice("something")
	p.Failed(engine.ArtifactReport{Reference: "a.io/b:v2", Err: errors.New("gone")})
	now := time.Now()
	for range 3 {
		p.show(now)
		now = now.Add(heartbeat)
	}
	u.say("and more")
	if want := "oras-mirror: error: a.io/b:v2: gone\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
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
resolved 120 of 400 tags
12 of 400 artifacts, 1 failed, 30 MiB of 60 MiB, 1.0 MiB/s, about 30 s left
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestResolvingCountsTags holds that a plan which knows bytes already is still
// shown as one, until they move.
func TestResolvingCountsTags(t *testing.T) {
	for _, test := range []struct {
		at   standing
		want string
	}{
		{standing{}, "listing tags"},
		{standing{listed: 400}, "resolved 0 of 400 tags"},
		{standing{listed: 400, resolved: 120, expected: 5 << 30}, "resolved 120 of 400 tags"},
		{standing{listed: 400, resolved: 120, failed: 2, expected: 5 << 30}, "resolved 120 of 400 tags, 2 failed"},
		{standing{listed: 1, resolved: 1}, "resolved 1 of 1 tag"},
		{standing{listed: 400, resolved: 398, failed: 2, expected: 5 << 30}, "0 of 400 artifacts, 2 failed, 0 B of 5.0 GiB, 0 B/s"},
		{standing{moved: 3 << 20}, "3.0 MiB hashed"},
	} {
		if got := test.at.text(0); got != test.want {
			t.Errorf("%+v: %q, want %q", test.at, got, test.want)
		}
	}
}

func TestCanRedraw(t *testing.T) {
	for _, test := range []struct {
		environment map[string]string
		want        bool
	}{
		{nil, true}, {map[string]string{"NO_COLOR": "1", "TERM": "xterm"}, true},
		{map[string]string{"CI": "true"}, false}, {map[string]string{"CI": "1"}, false}, {map[string]string{"CI": "false"}, true},
		{map[string]string{"TERM": "dumb"}, false},
	} {
		if got := canRedraw(func(name string) string { return test.environment[name] }); got != test.want {
			t.Errorf("%v: %v", test.environment, got)
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
	p := (newUI(Streams{Stderr: w, Columns: func() int { return 80 }})).startProgress()
	p.Listed(1000)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 1000 {
				p.Resolved()
				p.Expect(10)
				p.Moving("a.io/b")
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
	if at := p.standing(); at.finished != 8000 || at.moved != 80_000 || at.failed != 8000 {
		t.Errorf("got %+v", at)
	}
}
