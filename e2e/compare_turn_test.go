package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
)

// stage is the place of the turns of a work: its folder, and the servers that last longer than
// a turn.
type stage struct {
	t       *testing.T
	work    work
	desk    *desk
	sources map[cargo]*comparisonServer
	bucket  *comparisonServer // of the input; nil if the input names none
}

// names reports whether a line of the work has a word in it.
func (w work) names(word string) bool {
	return slices.ContainsFunc(append(w.allSteps(), w.input...), func(line string) bool { return strings.Contains(line, word) })
}

func (w work) allSteps() []string {
	var all []string
	for _, c := range w.contenders {
		all = append(append(all, c.server), c.steps...)
	}
	return all
}

const bucketWord = "s3://"

func newStage(t *testing.T, w work) *stage {
	s := &stage{t: t, work: w, desk: newDesk(t), sources: make(map[cargo]*comparisonServer)}
	if slices.ContainsFunc(w.input, func(line string) bool { return strings.Contains(line, bucketWord) }) {
		s.bucket = startComparisonServer(t, "bucket", nil)
	}
	return s
}

// source returns the registry that has a cargo.
func (s *stage) source(c cargo) *comparisonServer {
	if s.sources[c] == nil {
		s.sources[c] = startComparisonServer(s.t, "registry", c)
	}
	return s.sources[c]
}

// words are the values of the variables in a line, and the environment of its command.
type words struct {
	host, target string
	environment  []string
}

func (s *stage) words(source *comparisonServer) words {
	w := words{host: source.Address}
	if s.bucket != nil {
		w.environment = bucketEnvironment(s.bucket)
	}
	return w
}

// bucketEnvironment are the variables that lead to a bucket.
func bucketEnvironment(bucket *comparisonServer) []string {
	var all []string
	for name, value := range (&testbucket.Server{URL: bucket.Address}).Environment() {
		all = append(all, name+"="+value)
	}
	return all
}

// turn lets a contender do the work once.
func (s *stage) turn(c contender) figures {
	s.t.Helper()
	one, source := s.desk.aside(), s.source(c.source)
	if c.server != "" {
		return s.serve(c, one)
	}
	words := s.words(source)
	servers := map[string]*comparisonServer{"": source}
	if s.work.names("TARGET") {
		servers["target "] = startComparisonServer(s.t, "registry", cargo{Delay: c.source.Delay})
		words.target = servers["target "].Address
		defer servers["target "].stop()
	}
	switch {
	case s.bucket != nil:
		servers["bucket "] = s.bucket
	case s.work.names(bucketWord):
		servers["bucket "] = startComparisonServer(s.t, "bucket", nil)
		words.environment = bucketEnvironment(servers["bucket "])
		defer servers["bucket "].stop()
	}
	flush()
	for _, server := range servers {
		server.tell("")
	}
	var f figures
	for _, line := range c.steps {
		f.add(one.step(line, words, c.source))
	}
	for name, server := range servers {
		got := server.tell("")
		f.count(name, got.Requests)
		f.Traffic += got.Traffic
	}
	return f
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

// aside is the same desk with another, empty folder in its own.
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

// step runs one command line, which must succeed.
func (d *desk) step(line string, w words, source cargo) figures {
	d.t.Helper()
	line, stdin, _ := strings.Cut(line, " < ")
	args := strings.Fields(strings.NewReplacer("HOST", w.host, "TARGET", w.target, "'", "").Replace(line))
	var cmd *exec.Cmd
	switch args[0] {
	case "oras-mirror":
		cmd = d.command(program, args[1:]...)
	case "oras", "crane", "regctl":
		cmd = d.command(tool(d.t, args[0]), args[1:]...)
	case "floor":
		cmd = bare(args[1:], w, source)
		cmd.Dir = d.Dir
	default:
		cmd = d.command(args[0], args[1:]...)
	}
	cmd.Env = append(cmd.Env, w.environment...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if stdin != "" {
		in, err := os.Open(filepath.Join(d.Dir, stdin))
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
		d.t.Fatalf("%s: %v\n%s%s", line, err, stdout.String(), stderr.String())
	}
	p := cmd.ProcessState
	f := figures{Seconds: took.Seconds(), CPU: (p.UserTime() + p.SystemTime()).Seconds(), Memory: peak(p)}
	if args[0] == "floor" && stdout.Len() > 0 { // it has measured itself
		if err := json.Unmarshal(stdout.Bytes(), &f); err != nil {
			d.t.Fatal(err)
		}
	}
	return f
}

// bare makes the process of a floor from the words of its line.
func bare(args []string, w words, source cargo) *exec.Cmd {
	f := floor{Host: w.host, Target: w.target, Repos: source.repos(), Connections: 16, Output: args[0]}
	f.Files = strings.HasSuffix(f.Output, "/")
	f.Referrers = slices.Contains(args, "referrers")
	for _, word := range args[1:] {
		switch key, path, _ := strings.Cut(word, "="); key {
		case "known":
			f.Known = path
		case "layout":
			f.Layout = path
		}
	}
	if slices.Contains(args, "single") {
		f.Connections = 1
	}
	if f.Ranges = slices.Contains(args, "ranges"); f.Ranges {
		f.Connections = 7 // as many have room in the memory that we take
	}
	return again("floor", f)
}
