package console

import (
	"strings"
	"testing"
	"time"

	"github.com/rivo/uniseg"

	"github.com/oras-mirror/oras-mirror/internal/progress"
	"github.com/oras-mirror/oras-mirror/internal/report"
)

// terminal emulates the parts of a terminal that a screen uses. It wraps a line that is too
// long for the window into the next row, and joins it again in a wider window.
type terminal struct {
	columns  int
	lines    [][]string // cells; the second cell of a wide character is empty
	row, col int        // of the cursor: a line, and a cell in it
	end      int        // the last cell without wrapping; 0 with wrapping
	writes   int
}

func (t *terminal) Write(p []byte) (int, error) {
	t.writes++
	text := string(p)
	state := -1
	for text != "" {
		if rest, ok := strings.CutPrefix(text, clearBelow); ok {
			t.clear()
			text, state = rest, -1
			continue
		}
		if rest, ok := strings.CutPrefix(text, clearLine); ok {
			line := t.line()
			*line = (*line)[:min(t.col, len(*line))]
			text, state = rest, -1
			continue
		}
		if rest, ok := strings.CutPrefix(text, noWrap); ok {
			t.end = (t.col/t.columns + 1) * t.columns
			text, state = rest, -1
			continue
		}
		if rest, ok := strings.CutPrefix(text, wrap); ok {
			t.end = 0
			text, state = rest, -1
			continue
		}
		var cluster string
		var width int
		cluster, text, width, state = uniseg.FirstGraphemeClusterInString(text, state)
		switch cluster {
		case "\r":
			t.col -= t.col % t.columns
		case "\n", "\r\n":
			t.feed()
		default:
			t.put(cluster, width)
		}
	}
	return len(p), nil
}

func (t *terminal) line() *[]string {
	for len(t.lines) <= t.row {
		t.lines = append(t.lines, nil)
	}
	return &t.lines[t.row]
}

func (t *terminal) put(cluster string, width int) {
	for cell := range width {
		line := t.line()
		for len(*line) <= t.col {
			*line = append(*line, " ")
		}
		(*line)[t.col] = cluster
		if cell > 0 {
			(*line)[t.col] = ""
		}
		if t.col++; t.end > 0 {
			t.col = min(t.col, t.end-1)
		}
	}
}

// feed moves the cursor to the beginning of the next row.
func (t *terminal) feed() {
	t.col += t.columns - t.col%t.columns
	if t.col >= len(*t.line()) {
		t.row, t.col = t.row+1, 0
	}
}

// clear removes everything from the cursor on.
func (t *terminal) clear() {
	line := t.line()
	*line = (*line)[:min(t.col, len(*line))]
	t.lines = t.lines[:t.row+1]
}

// rows returns the visible text.
func (t *terminal) rows() []string {
	var rows []string
	for _, line := range t.lines {
		for len(line) > t.columns {
			rows = append(rows, strings.Join(line[:t.columns], ""))
			line = line[t.columns:]
		}
		rows = append(rows, strings.Join(line, ""))
	}
	return rows
}

// TestBarInWindows resizes the window during a run: the bar always takes one row, and all
// printed lines stay.
func TestBarInWindows(t *testing.T) {
	term := &terminal{columns: 80}
	s := &barScreen{w: term, columns: func() int { return term.columns }}
	now := time.Now()
	at := progress.State{Listed: 12_000, Resolved: 12_000, Expected: 999 << 30, Moving: "registry.example.com/team/" + strings.Repeat("long/", 30) + "app:1.0"}
	printed := 0
	for _, columns := range []int{80, 200, 80, 40, 200, 20, 9, 80, 33, 132, 60} {
		term.columns = columns
		for range 3 {
			now = now.Add(400 * time.Millisecond)
			at.Moved += 3 << 30
			at.Finished++
			printed++
			s.Show(now, []string{"registry.example.com/app:" + strings.Repeat("x", printed)}, at)
			now = now.Add(100 * time.Millisecond)
			at.Moved += 1 << 30
			s.Show(now, nil, at)
		}
		rows := term.rows()
		bar := rows[len(rows)-1]
		if uniseg.StringWidth(bar) >= columns {
			t.Errorf("%d columns: the bar takes %q", columns, bar)
		}
		if len(term.lines) != printed+1 {
			t.Errorf("%d columns: %d lines with the bar, want %d\n%s", columns, len(term.lines), printed+1, strings.Join(rows, "\n"))
		}
	}
	s.Close()
	if rows := term.rows(); rows[len(rows)-1] != "" {
		t.Errorf("the bar stays: %q", rows[len(rows)-1])
	}
}

// TestBarOfAnOlderWindow draws a bar for a window that has become narrower meanwhile.
func TestBarOfAnOlderWindow(t *testing.T) {
	term := &terminal{columns: 80}
	answer := 132
	s := &barScreen{w: term, columns: func() int { return answer }}
	now := time.Now()
	at := progress.State{Listed: 3, Resolved: 3, Expected: 4 << 20, Moved: 1 << 20, Moving: "registry.example.com/" + strings.Repeat("long/", 30) + "app:1.0"}
	s.Show(now, []string{"above"}, at)
	if rows := term.rows(); len(rows) != 2 || rows[0] != "above" {
		t.Errorf("the window has\n%s", strings.Join(rows, "\n"))
	}
	answer = 80
	s.Show(now.Add(time.Second), nil, at)
	if rows := term.rows(); len(rows) != 2 || uniseg.StringWidth(rows[1]) >= 80 {
		t.Errorf("the window has\n%s", strings.Join(rows, "\n"))
	}
}

// TestBarAt shows the bar at common widths.
func TestBarAt(t *testing.T) {
	at := progress.State{Listed: 12, Resolved: 12, Finished: 3, Failed: 1, Expected: 384 << 20, Moved: 156 << 20, Moving: "registry.example.com/team/database:2.3"}
	for columns, want := range map[int]string{
		160: "  40% [==================>..............................]  156/384 MiB, 20 MiB/s, 11 s left, 3/12 (1 failed) registry.example.com/team/database:2.3",
		120: "  40% [====>.........]  156/384 MiB, 20 MiB/s, 11 s left, 3/12 (1 failed) registry.example.com/team/database:2.3",
		80:  "  40% [==>......]  156/384 MiB, 20 MiB/s, 11 s left, 3/12 (1 failed) …abase:2.3",
		60:  "  40% [=>.....]  156/384 MiB, 11 s left, 3/12 (1 failed)",
		40:  "  40% [>...]  156/384 MiB, 3/12",
		20:  "156/384 MiB, 3/12",
		12:  "3/12",
	} {
		s := &barScreen{}
		if got := s.draw(columns-1, at, 20<<20); got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
	}
}

// TestBarIsSteady checks that nothing is drawn if nothing has changed.
func TestBarIsSteady(t *testing.T) {
	term := &terminal{columns: 80}
	s := &barScreen{w: term, columns: func() int { return term.columns }}
	now := time.Now()
	at := progress.State{Listed: 1, Resolved: 1, Expected: 100, Moved: 10}
	for range 10 {
		s.Show(now, nil, at)
	}
	if term.writes != 1 {
		t.Errorf("%d writes", term.writes)
	}
}

// TestBarUsesAWideWindow checks that a long text fills the row.
func TestBarUsesAWideWindow(t *testing.T) {
	at := progress.State{Listed: 12, Resolved: 12, Expected: 384 << 20, Moved: 156 << 20, Moving: "registry.example.com/" + strings.Repeat("long/", 40) + "app:1.0"}
	for _, columns := range []int{80, 100, 132, 160, 200, 300} {
		if got := uniseg.StringWidth((&barScreen{}).draw(columns-1, at, 20<<20)); got != columns-1 {
			t.Errorf("%d columns: the bar takes %d", columns, got)
		}
	}
}

// TestRetryIsTold checks that a retry is shown on a terminal while it lasts, in a log once per
// heartbeat, and as an event.
func TestRetryIsTold(t *testing.T) {
	var r progress.Retries
	if got := r.Look(); got != (progress.Retry{}) {
		t.Errorf("nothing is retried, and Look returned %+v", got)
	}
	over := r.Begin("r.example", "503")
	over()
	if got := r.Look(); got != (progress.Retry{Registry: "r.example", Reason: "503"}) {
		t.Errorf("what was short is told as %+v", got)
	}
	if got := r.Look(); got != (progress.Retry{}) {
		t.Errorf("it is told again: %+v", got)
	}
	r.Begin("r.example", "503")
	r.Look()
	at := progress.State{Listed: 12, Resolved: 12, Finished: 3, Expected: 384 << 20, Moved: 156 << 20, Moving: "registry.example.com/app:1.0", Retry: r.Look()}
	for columns, want := range map[int]string{
		100: "  40% [===>........]  156/384 MiB, 3/12, retrying: 503 registry.example.com/app:1.0",
		60:  "  40% [=>.....]  156/384 MiB, 3/12, retrying: 503 …/app:1.0",
		40:  "  40% [>...]  156/384 MiB, 3/12",
	} {
		if got := (&barScreen{}).draw(columns-1, at, 0); got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
	}
	if got, want := (progress.State{Listed: 4, Retry: at.Retry}).Text(0), "resolved 0 of 4 tags, retrying: 503"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var log, data strings.Builder
	now := time.Now()
	lines := &logScreen{w: &log}
	for range 31 {
		lines.Show(now, nil, progress.State{Listed: 4, Retry: at.Retry})
		now = now.Add(time.Second)
	}
	told := "oras-mirror: note: r.example: retrying: 503\n"
	if want := told + told + "resolved 0 of 4 tags, retrying: 503\n"; log.String() != want {
		t.Errorf("the log has\n%s", log.String())
	}
	e, err := report.NewEvents(&data, func(s string) string { return s }, "backup")
	if err != nil {
		t.Fatal(err)
	}
	(&eventScreen{events: e, errors: &log}).Show(now, nil, at)
	if !strings.Contains(data.String(), `"retrying":"r.example: 503"`) {
		t.Errorf("the event is %s", data.String())
	}
}

// TestLinesBreakBetweenWords checks that lines break only between words.
func TestLinesBreakBetweenWords(t *testing.T) {
	long := "registry.example/" + strings.Repeat("x", 30) + ":v1"
	for _, tt := range []struct {
		line    string
		columns int
		want    string
	}{
		{"short", 80, "short"},
		{"one two three", 7, "one two\nthree"},
		{"one two three", 6, "one\ntwo\nthree"},
		{long + " is not there", 20, long + "\nis not there"},
		{"not there: " + long, 20, "not there:\n" + long},
		{"目录 镜像 目录", 9, "目录 镜像\n目录"},
		{"two  spaces", 80, "two  spaces"},
		{"a/b:v1 (96 MiB)", 11, "a/b:v1\n(96 MiB)"},
		{"pushed, 6 B shared, 2 h 13 min", 12, "pushed, 6 B\nshared, 2 h\n13 min"},
		{"5 bytes", 4, "5\nbytes"},
		{"anything", 0, "anything"},
	} {
		if got := wrapped(tt.line, tt.columns); got != tt.want {
			t.Errorf("%q in %d columns: %q, want %q", tt.line, tt.columns, got, tt.want)
		}
	}
	var out strings.Builder
	u := New(Options{Streams: Streams{Stderr: &out, Columns: func() int { return 30 }}})
	u.Say("%s", "a line that is longer than the window")
	u.Notice("%s", "a notice that is longer than the window")
	(&barScreen{w: &out, columns: u.Columns}).Show(time.Now(), []string{"what failed is longer than the window"}, progress.State{})
	for _, row := range strings.Split(out.String(), "\n") {
		if row = row[strings.LastIndexAny(row, "J\r")+1:]; len(row) > 30 {
			t.Errorf("a row of %d: %q", len(row), row)
		}
	}
}
