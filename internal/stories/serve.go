package stories

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// servedCommand is a running "oras-mirror serve".
type servedCommand struct {
	cmd            *exec.Cmd
	stdout, stderr strings.Builder
	ended          chan error
}

// servedAt finds the host in what serve says once it listens, in either format.
var servedAt = regexp.MustCompile(`(?:^serving .* on |^{.*"event":"listening".*"url":")https?://([^"\s]+)`)

// serve NAME [ARGUMENT...] starts "oras-mirror serve" on a free port and sets $NAME to its
// host once it listens.
func (w *world) serve(ts *testscript.TestScript, _ bool, args []string) {
	s := &servedCommand{ended: make(chan error, 1)}
	s.cmd = exec.Command("oras-mirror", append([]string{"serve", "--listen", "127.0.0.1:0"}, args[1:]...)...)
	s.cmd.Dir, s.cmd.Env = ts.MkAbs("."), environment(ts)
	stdout, err := s.cmd.StdoutPipe()
	ts.Check(err)
	stderr, err := s.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(s.cmd.Start())
	ts.Defer(func() { _ = s.cmd.Process.Kill() }) // if the script fails before unserve
	hosts := make(chan string, 1)
	var reading sync.WaitGroup
	read := func(from io.Reader, to *strings.Builder) {
		for lines := bufio.NewScanner(from); lines.Scan(); {
			to.WriteString(lines.Text() + "\n")
			if m := servedAt.FindStringSubmatch(lines.Text()); m != nil {
				hosts <- m[1]
			}
		}
	}
	reading.Go(func() { read(stdout, &s.stdout) })
	reading.Go(func() { read(stderr, &s.stderr) })
	go func() {
		reading.Wait()
		close(hosts)
		s.ended <- s.cmd.Wait()
	}()
	host, ok := <-hosts
	if !ok {
		<-s.ended
		ts.Fatalf("it does not listen:\n%s", s.stderr.String())
	}
	ts.Setenv(args[0], host)
	w.served[args[0]] = s
}

// unserve NAME CODE ends a serve, checks its exit code and its events, and keeps standard
// error in the file served, standard output in events.
func (w *world) unserve(ts *testscript.TestScript, _ bool, args []string) {
	s := w.served[args[0]]
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	code := exitOf(ts, <-s.ended)
	ts.Check(os.WriteFile(ts.MkAbs("served"), []byte(s.stderr.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("events"), []byte(s.stdout.String()), 0o600))
	if s.stdout.Len() > 0 {
		_, err := ParseEvents(s.stdout.String())
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[1] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[1], s.stderr.String())
	}
}
