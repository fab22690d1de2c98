//go:build unix

package cli

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// pane is a window of tmux that runs one command.
type pane struct {
	t      *testing.T
	tmux   string
	socket string
}

func openPane(t *testing.T, columns int, dir, command string) *pane {
	t.Helper()
	tmux := skipped.Without(t, "tmux")
	p := &pane{t, tmux, filepath.Join(t.TempDir(), "tmux")}
	p.run("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(columns), "-y", "12", "-c", dir,
		"env -u CI TERM=screen GORACE=atexit_sleep_ms=0 PATH="+os.Getenv("PATH")+" sh -c '"+command+"; cat'")
	t.Cleanup(func() { _ = exec.Command(tmux, "-S", p.socket, "kill-server").Run() })
	return p
}

func (p *pane) run(args ...string) string {
	p.t.Helper()
	out, err := exec.Command(p.tmux, append([]string{"-S", p.socket}, args...)...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// until waits until the pane shows something, and returns its content.
func (p *pane) until(pattern string) string {
	p.t.Helper()
	wanted := regexp.MustCompile(pattern)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for {
		shown := p.run("capture-pane", "-p", "-S", "-", "-t", "0") // what was scrolled away, too
		if wanted.MatchString(shown) {
			return shown
		}
		select {
		case <-look.C:
		case <-p.t.Context().Done():
			p.t.Fatalf("the screen never showed %s\n%s", pattern, shown)
		}
	}
}

// TestWindowIsResized resizes a real window during a backup: one bar stays at the bottom,
// and the lines above it stay.
func TestWindowIsResized(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("first"))
	r.Image("team/database", "2.3", testregistry.Random("large", 4<<20))
	release := make(chan struct{})
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) != "GET blob" || !strings.Contains(req.URL.Path, "/database/") {
			return nil
		}
		return testregistry.StallAt(1<<20, release)
	})
	p := openPane(t, 80, t.TempDir(), "oras-mirror backup -o bundle.tgz "+r.Reference("app", "v1")+" "+r.Reference("app", "v9")+" "+r.Reference("team/database", "2.3"))
	p.until(`(?s)app:v1 \(.* 1/3 \(1 failed\)`)
	bar := regexp.MustCompile(`^ +\d+% \[`)
	for _, columns := range []int{80, 40, 200, 60, 132, 80} {
		p.run("resize-window", "-t", "0", "-x", fmt.Sprint(columns), "-y", "12")
		want := console.BarWidth(columns - 1)
		shown := p.until(fmt.Sprintf(`(?m)^ +\d+%% \[[=>.]{%d}\] `, want))
		rows := strings.Split(strings.TrimRight(shown, "\n"), "\n")
		bars := 0
		for _, row := range rows {
			if bar.MatchString(row) {
				bars++
			}
		}
		if last := rows[len(rows)-1]; bars != 1 || !bar.MatchString(last) {
			t.Errorf("%d columns: %d bars, and at the bottom %q\n%s", columns, bars, last, shown)
		}
		joined := strings.Join(strings.Fields(shown), "") // a terminal breaks lines anywhere
		for _, line := range []string{"app:v1(", "error:" + r.Host + "/app:v9:resolve:404"} {
			if strings.Count(joined, line) != 1 {
				t.Errorf("%d columns: %q is there %d times\n%s", columns, line, strings.Count(joined, line), shown)
			}
		}
	}
	close(release)
	shown := p.until(`(?s)backed up 2 of 3 artifacts.*failed, for the reasons above`)
	if strings.Contains(shown, "% [") {
		t.Errorf("the bar stays\n%s", shown)
	}
}
