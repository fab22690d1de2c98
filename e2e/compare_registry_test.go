package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// role is what another process of this test binary is, if it is one of those
// that a comparison starts: a registry or a bare downloader. They are processes
// of their own so that each contender is one, and is alone in it.
const role = "ORAS_MIRROR_COMPARE"

// Before TestMain, which would build the program again.
func init() {
	switch os.Getenv(role) {
	case "registry":
		serveComparison()
	case "floor":
		fall()
	default:
		return
	}
	os.Exit(0)
}

// cargo is what a registry of a comparison has, and how it is reached.
type cargo struct {
	Kind  string // "images", "artifacts", "layers", "blob", or "" for nothing
	N     int    // of images or artifacts; MiB of a blob
	Delay time.Duration
	Rate  int64 // bytes a second and connection
}

// process stands in for a test where there is none: New and Seeder use no more
// of it than this.
type process struct{ testing.TB }

func (process) Context() context.Context  { return context.Background() }
func (process) Helper()                   {}
func (process) Cleanup(func())            {}
func (process) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }
func (process) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// serveComparison is the registry's process. It tells its host, and for each
// line that it reads the requests that it has had since the last.
func serveComparison() {
	var c cargo
	if err := json.Unmarshal([]byte(os.Args[1]), &c); err != nil {
		panic(err)
	}
	r := testregistry.New(process{}, testregistry.Options{})
	c.load(r)
	r.SetDelay(c.Delay)
	r.SetRate(c.Rate)
	fmt.Println(r.Host)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := json.NewEncoder(os.Stdout).Encode(r.Counts()); err != nil {
			panic(err)
		}
		r.ResetCounts()
	}
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
		shared := [][]byte{layer("base", 32), layer("runtime", 32)}
		for _, repo := range c.repos() {
			for _, tag := range []string{"v1", "v2"} {
				r.Image(repo, tag, append(shared[:2:2], layer(repo+tag+"a", 32), layer(repo+tag+"b", 32))...)
			}
		}
	case "blob":
		r.Artifact("many", "v1", "application/vnd.example", layer("blob", c.N))
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

// comparisonRegistry is such a process, seen from the test.
type comparisonRegistry struct {
	Host   string
	t      *testing.T
	stdin  io.WriteCloser
	stdout *bufio.Reader
	cmd    *exec.Cmd
}

func startComparisonRegistry(t *testing.T, c cargo) *comparisonRegistry {
	t.Helper()
	r := &comparisonRegistry{t: t, cmd: again("registry", c)}
	var err error
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.stdout = bufio.NewReader(stdout)
	r.Host = strings.TrimSpace(r.line())
	t.Cleanup(r.stop)
	return r
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

func (r *comparisonRegistry) line() string {
	r.t.Helper()
	line, err := r.stdout.ReadString('\n')
	if err != nil {
		r.t.Fatal("the registry ended: ", err)
	}
	return line
}

// requests returns what the registry was asked since the last call, by kind.
func (r *comparisonRegistry) requests() map[string]int {
	r.t.Helper()
	if _, err := io.WriteString(r.stdin, "\n"); err != nil {
		r.t.Fatal(err)
	}
	var counts map[string]int
	if err := json.Unmarshal([]byte(r.line()), &counts); err != nil {
		r.t.Fatal(err)
	}
	return counts
}

// stop ends the process, once.
func (r *comparisonRegistry) stop() {
	r.stdin.Close()
	r.cmd.Wait()
}
