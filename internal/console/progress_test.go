package console

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/progress"
)

func TestFinishedLines(t *testing.T) {
	u := New(Options{Streams: Streams{}})
	var lines []string
	for i := range 25_000 {
		lines = append(lines, u.finished(engine.ArtifactReport{Reference: fmt.Sprintf("a.io/b:%d", i), Bytes: 2048}, i+1)...)
	}
	if lines[0] != "a.io/b:0 (2.0 KiB)" {
		t.Errorf("the first line is %q", lines[0])
	}
	rest := strings.Join(lines[maxNamed:], "\n")
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
	u := New(Options{Streams: Streams{Stderr: &out}})
	p := progress.Start(u, &logScreen{w: &out})
	gone := engine.ArtifactReport{Reference: "a.io/b:v2", Err: &engine.ArtifactError{Reference: "a.io/b:v2", Op: "fetch", Err: errors.New("gone")}}
	p.Finished(engine.ArtifactReport{Reference: "a.io/b:v1", Bytes: 1})
	p.Failed(gone)
	p.Failed(engine.ArtifactReport{Reference: "a.io/b:v3", Err: engine.ErrUnfinished})
	p.Close()
	late := engine.ArtifactReport{Reference: "a.io/b:v4", Err: errors.New("late")}
	_ = u.Conclude(BackupWords, &engine.Report{Artifacts: []engine.ArtifactReport{{Reference: "a.io/b:v1"}, gone, late}, Output: "x.tgz"}, nil)
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
	u := New(Options{Streams: Streams{Stderr: &out}})
	u.quiet = true
	screen := u.screen()
	p := progress.Start(u, screen)
	p.Finished(engine.ArtifactReport{Reference: "a.io/b:v1"})
	p.Notice("something")
	p.Failed(engine.ArtifactReport{Reference: "a.io/b:v2", Err: errors.New("gone")})
	p.Close()
	now := time.Now()
	for range 3 {
		screen.Show(now, nil, p.State())
		now = now.Add(heartbeat)
	}
	u.Say("and more")
	if want := "oras-mirror: error: a.io/b:v2: gone\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestLogHeartbeat(t *testing.T) {
	var out bytes.Buffer
	s := &logScreen{w: &out}
	start := time.Now()
	s.Show(start, nil, progress.State{})
	s.Show(start.Add(29*time.Second), []string{"a.io/b:c (1 B)"}, progress.State{Listed: 2})
	s.Show(start.Add(30*time.Second), nil, progress.State{Listed: 400, Resolved: 120})
	s.Show(start.Add(31*time.Second), nil, progress.State{Listed: 400, Resolved: 400, Expected: 100})
	s.Show(start.Add(60*time.Second), nil, progress.State{Listed: 400, Finished: 12, Failed: 1, Moved: 30 << 20, Expected: 60 << 20})
	want := `a.io/b:c (1 B)
resolved 120 of 400 tags
12 of 400 artifacts, 1 failed, 30 MiB of 60 MiB, 1.0 MiB/s, about 30 s left
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestResolvingCountsTags checks that tags are counted until bytes move, even if bytes are
// expected already.
func TestResolvingCountsTags(t *testing.T) {
	for _, test := range []struct {
		at   progress.State
		want string
	}{
		{progress.State{}, "listing tags"},
		{progress.State{Listed: 400}, "resolved 0 of 400 tags"},
		{progress.State{Listed: 400, Resolved: 120, Expected: 5 << 30}, "resolved 120 of 400 tags"},
		{progress.State{Listed: 400, Resolved: 120, Failed: 2, Expected: 5 << 30}, "resolved 120 of 400 tags, 2 failed"},
		{progress.State{Listed: 1, Resolved: 1}, "resolved 1 of 1 tag"},
		{progress.State{Listed: 400, Resolved: 398, Failed: 2, Expected: 5 << 30}, "0 of 400 artifacts, 2 failed, 0 B of 5.0 GiB, 0 B/s"},
		{progress.State{Moved: 3 << 20}, "3.0 MiB hashed"},
	} {
		if got := test.at.Text(0); got != test.want {
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

// stuckWriter is a terminal stopped with ^S.
type stuckWriter struct{ released chan struct{} }

func (w stuckWriter) Write(p []byte) (int, error) {
	<-w.released
	return len(p), nil
}

func TestProgressNeverBlocks(t *testing.T) {
	w := stuckWriter{make(chan struct{})}
	p := (New(Options{Streams: Streams{Stderr: w, Columns: func() int { return 80 }}})).StartProgress()
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
	group.Wait() // blocks if one of them waits for the terminal
	close(w.released)
	p.Close()
	if at := p.State(); at.Finished != 8000 || at.Moved != 80_000 || at.Failed != 8000 {
		t.Errorf("got %+v", at)
	}
}
