package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// role is the variable that makes another process of this test binary a registry or a bare downloader
// of a comparison: each contender is alone in its process.
const role = "ORAS_MIRROR_COMPARE"

// Before TestMain, which would build the program again.
func init() {
	switch os.Getenv(role) {
	case "registry":
		serveComparison()
	case "bucket":
		serveComparisonBucket()
	case "files":
		serveFiles()
	case "floor":
		fall()
	default:
		return
	}
	os.Exit(0)
}

// cargo is the content of a registry of a comparison, and the way to it.
type cargo struct {
	Kind  string // "images", "artifacts", "layers", "big", "release", "blob", or "" for nothing
	N     int    // of images or artifacts; MiB of a layer or blob
	Delay time.Duration
	Rate  int64 // bytes a second and connection
}

// process stands in for a test where there is none: New, Start and Seeder use no more of it
// than this.
type process struct {
	testing.TB
	cleanups []func()
}

func (*process) Context() context.Context  { return context.Background() }
func (*process) Helper()                   {}
func (p *process) Cleanup(f func())        { p.cleanups = append(p.cleanups, f) }
func (*process) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }
func (*process) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (*process) Skip(a ...any)             { panic(fmt.Sprint(a...)) }

func (p *process) TempDir() string {
	dir, err := os.MkdirTemp("", "oras-mirror-compare-")
	must(err)
	p.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// end cleans up, the last first.
func (p *process) end() {
	for _, f := range slices.Backward(p.cleanups) {
		f()
	}
}

// tally counts the requests to a server since the last call.
type tally struct {
	Requests map[string]int
	Traffic  int64
}

// converse tells the address of a server, and answers each line.
func converse(address string, answer func(line string) tally) {
	fmt.Println(address)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		must(json.NewEncoder(os.Stdout).Encode(answer(lines.Text())))
	}
}

// serveComparison is the registry's process.
func serveComparison() {
	var c cargo
	must(json.Unmarshal([]byte(os.Args[1]), &c))
	r := testregistry.New(new(process), testregistry.Options{})
	c.load(r)
	r.SetDelay(c.Delay)
	r.SetRate(c.Rate)
	converse(r.Host, func(line string) tally {
		if line == "change" {
			c.change(r)
		}
		defer r.ResetCounts()
		return tally{r.Counts(), r.Traffic()}
	})
}

// serveComparisonBucket is the bucket's process.
func serveComparisonBucket() {
	p := new(process)
	defer p.end()
	s := testbucket.Start(p)
	converse(s.URL, func(string) tally { return tally{s.Requests(), s.Sent() + s.Received()} })
}

func (c cargo) load(r *testregistry.Registry) {
	switch c.Kind {
	case "images":
		for i := range c.N {
			r.Image("many", fmt.Sprintf("v%d", i), testregistry.Random(fmt.Sprint(i), 2048), []byte("shared by all"))
		}
	case "artifacts":
		for i := range c.N {
			r.Artifact("many", fmt.Sprintf("v%d", i), "application/vnd.example", testregistry.Random(fmt.Sprint(i), 2048))
		}
	case "layers":
		shared := [][]byte{layer("base", c.N), layer("runtime", c.N)}
		for _, repo := range c.repos() {
			for _, tag := range []string{"v1", "v2"} {
				r.Image(repo, tag, append(shared[:2:2], layer(repo+tag+"a", c.N), layer(repo+tag+"b", c.N))...)
			}
		}
	case "big":
		for i := range 8 {
			r.Image("many", fmt.Sprintf("v%d", i), layer(fmt.Sprint(i), c.N))
		}
	case "release":
		for i := range c.N {
			r.Image("many", fmt.Sprintf("v%d", i), layer(fmt.Sprint(i), 2))
		}
	case "blob":
		r.Artifact("many", "v1", "application/vnd.example", layer("blob", c.N))
	}
}

// change gives three images of a release another layer.
func (c cargo) change(r *testregistry.Registry) {
	for i := range min(3, c.N) {
		r.Image("many", fmt.Sprintf("v%d", i), layer(fmt.Sprint("changed ", i), 2))
	}
}

// repos lists the repositories.
func (c cargo) repos() []string {
	if c.Kind == "layers" {
		return []string{"team/app1", "team/app2", "team/app3", "team/app4"}
	}
	return []string{"many"}
}

// layer is some MiB that begin as layers do, which are compressed.
func layer(seed string, size int) []byte {
	data := testregistry.Random(seed, size<<20)
	copy(data, "\x1f\x8b\x08")
	return data
}

// comparisonServer is such a process, seen from the test.
type comparisonServer struct {
	Address string // HOST:PORT of a registry, the URL of a bucket
	t       *testing.T
	stdin   io.WriteCloser
	stdout  *bufio.Reader
	cmd     *exec.Cmd
}

func startComparisonServer(t *testing.T, as string, task any) *comparisonServer {
	t.Helper()
	s := &comparisonServer{t: t, cmd: again(as, task)}
	var err error
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.stdout = bufio.NewReader(stdout)
	s.Address = strings.TrimSpace(s.line())
	t.Cleanup(s.stop)
	return s
}

// again makes a command that is this binary in another role.
func again(as string, task any) *exec.Cmd {
	text, err := json.Marshal(task)
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(os.Args[0], string(text))
	cmd.Env = append(environment(), role+"="+as)
	cmd.Stderr = os.Stderr
	return cmd
}

func (s *comparisonServer) line() string {
	s.t.Helper()
	line, err := s.stdout.ReadString('\n')
	if err != nil {
		s.t.Fatal("the server ended: ", err)
	}
	return line
}

// tell sends a line to the server and returns what it was asked since the last one.
func (s *comparisonServer) tell(line string) tally {
	s.t.Helper()
	if _, err := io.WriteString(s.stdin, line+"\n"); err != nil {
		s.t.Fatal(err)
	}
	var got tally
	if err := json.Unmarshal([]byte(s.line()), &got); err != nil {
		s.t.Fatal(err)
	}
	return got
}

// stop ends the process, once.
func (s *comparisonServer) stop() {
	s.stdin.Close()
	s.cmd.Wait()
}
