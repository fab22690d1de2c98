package stories

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testchart"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// world has the registries and the running command of a script.
type world struct {
	tb         testing.TB
	registries map[string]*testregistry.Registry
	server     *testbucket.Server
	running    *blockedCommand
	served     map[string]*servedCommand
	helm       map[string]*testchart.Repository
	images     map[string]ocispec.Descriptor // that a script has seeded, as NAME/REPOSITORY:TAG
	signers    signers
}

// setup gives a script an empty home directory.
func (w *world) setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, "home")
	env.Setenv("HOME", home)
	env.Setenv("XDG_RUNTIME_DIR", home)
	env.Setenv("GORACE", "atexit_sleep_ms=0")
	return os.Mkdir(home, 0o700)
}

// condition knows [root], for tests that depend on file permissions, and [bucket], for those
// that need an S3 server.
func condition(name string) (bool, error) {
	switch name {
	case "root":
		return os.Geteuid() == 0, nil
	case "bucket":
		_, ok := testbucket.Installed()
		return ok, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// named returns the registry with a name.
func (w *world) named(ts *testscript.TestScript, name string) *testregistry.Registry {
	r := w.registries[name]
	if r == nil {
		ts.Fatalf("no registry %s", name)
	}
	return r
}

// registry NAME [OPTION...] starts a registry, sets $NAME to its host and writes
// its CA to NAME.pem.
func (w *world) registry(ts *testscript.TestScript, _ bool, args []string) {
	var o testregistry.Options
	for _, option := range args[1:] {
		name, value, _ := strings.Cut(option, "=")
		switch name {
		case "tls":
			o.TLS = true
		case "token":
			o.Token = true
		case "noreferrers":
			o.NoReferrersAPI = true
		case "norange":
			o.NoRange = true
		case "strict":
			o.RejectSparse = true
		case "login":
			o.Username, o.Password, _ = strings.Cut(value, ":")
		case "page":
			n, err := strconv.Atoi(value)
			ts.Check(err)
			o.PageSize = n
		default:
			ts.Fatalf("unknown option %s", option)
		}
	}
	r := testregistry.New(w.tb, o)
	w.registries[args[0]] = r
	ts.Setenv(args[0], r.Host)
	if o.TLS {
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), r.CA, 0o600))
	}
}

// seed NAME KIND REPOSITORY[:TAG] [LAYER...] puts an image, index, docker list,
// artifact, signed image, image that is signed with cosign's tags, index with
// signed platforms, or as many images as the first LAYER says.
func (w *world) seed(ts *testscript.TestScript, _ bool, args []string) {
	r := w.named(ts, args[0])
	repo, tag, _ := strings.Cut(args[2], ":")
	layers := make([][]byte, len(args[3:]))
	for i, text := range args[3:] {
		layers[i] = []byte(text)
	}
	switch args[1] {
	case "image":
		w.images[args[0]+"/"+args[2]] = r.Image(repo, tag, layers...)
	case "artifact":
		r.Artifact(repo, tag, "application/vnd.example", layers...)
	case "index":
		r.Index(repo, tag, r.Image(repo, "", append(layers, []byte("amd64"))...), r.Image(repo, "", append(layers, []byte("arm64"))...))
	case "docker":
		r.DockerList(repo, tag, r.DockerImage(repo, "", layers...))
	case "platforms":
		Platforms(r, repo, tag, layers)
	case "cosign":
		image := r.Image(repo, tag, layers...)
		name := "sha256-" + image.Digest.Encoded()
		r.Image(repo, name+".sig", []byte("signature of "+args[2]))
		r.Image(repo, name+".att", []byte("attestation of "+args[2]))
	case "signed":
		image := r.Image(repo, tag, layers...)
		sbom := r.Referrer(repo, image, "application/vnd.example.sbom", []byte("sbom of "+args[2]))
		r.Referrer(repo, sbom, "application/vnd.example.signature", []byte("signature of the sbom of "+args[2]))
	case "images":
		n, err := strconv.Atoi(args[3])
		ts.Check(err)
		for i := range n {
			r.Image(repo, fmt.Sprintf("v%d", i), []byte("shared"), []byte(fmt.Sprintf("%s %d", repo, i)))
		}
	case "large":
		r.Image(repo, tag, testregistry.Random(args[2], 3<<20))
	default:
		ts.Fatalf("unknown kind %s", args[1])
	}
}

// Platforms puts an index for linux/amd64 and linux/arm64 into a registry, with a signature
// for the index and for each image.
func Platforms(r *testregistry.Registry, repo, tag string, layers [][]byte) {
	var children []ocispec.Descriptor
	for _, architecture := range []string{"amd64", "arm64"} {
		child := r.Image(repo, "", append(slices.Clone(layers), []byte(repo+tag+architecture))...)
		r.Referrer(repo, child, "application/vnd.example.signature", []byte("signature of "+architecture))
		children = append(children, child)
	}
	r.Referrer(repo, r.Index(repo, tag, children...), "application/vnd.example.signature", []byte("signature of all"))
}

// copied [-bare] SOURCE[,SOURCE...] TARGET [FROM=TO...] checks that the target has the tags,
// manifests, blobs and referrers of the sources (no referrers with -bare). A name begins with
// its registry. The first FROM that is a prefix of it is replaced by TO; a name without such
// a FROM must not be in the target. Without rules only the registry is removed.
func (w *world) copied(ts *testscript.TestScript, _ bool, args []string) {
	bare := args[0] == "-bare"
	if bare {
		args = args[1:]
	}
	want := testregistry.Contents{}
	for _, name := range strings.Split(args[0], ",") {
		for reference, root := range w.snapshot(ts, name) {
			if to := rename(name+"/"+reference, args[2:]); to != "" {
				want[to] = root
			}
		}
	}
	if bare {
		want = want.WithoutReferrers()
	}
	if len(want) == 0 {
		ts.Fatalf("nothing to compare")
	}
	if lines := testregistry.Diff(want, w.snapshot(ts, args[1])); len(lines) > 0 {
		ts.Fatalf("%s differs:\n%s", args[1], strings.Join(lines, "\n"))
	}
}

// rename applies the rules of copied to a name; "" if none matches.
func rename(name string, rules []string) string {
	if len(rules) == 0 {
		_, path, _ := strings.Cut(name, "/")
		return path
	}
	for _, rule := range rules {
		from, to, _ := strings.Cut(rule, "=")
		if rest, ok := strings.CutPrefix(name, from); ok {
			return to + rest
		}
	}
	return ""
}

func (w *world) snapshot(ts *testscript.TestScript, name string) testregistry.Contents {
	contents, err := testregistry.Snapshot(context.Background(), w.named(ts, name).Access())
	ts.Check(err)
	return contents
}

// requests NAME KIND N checks the number of requests of a kind since the last check, as in:
// requests A 'GET blob' 3.
func (w *world) requests(ts *testscript.TestScript, _ bool, args []string) {
	r := w.named(ts, args[0])
	for i := 1; i < len(args); i += 2 {
		if got := strconv.Itoa(r.Count(args[i])); got != args[i+1] {
			ts.Fatalf("%s requests of %s, want %s; in all: %v", got, args[i], args[i+1], r.Counts())
		}
	}
	r.ResetCounts()
}

// fault NAME KIND STATUS[=CODE]|cut|flip|empty|none makes all requests of a kind fail.
func (w *world) fault(ts *testscript.TestScript, _ bool, args []string) {
	faults := map[string]testregistry.Fault{"cut": testregistry.Cut(1), "flip": testregistry.Flip(0), "empty": emptyList, "none": nil}
	fault, ok := faults[args[2]]
	if !ok {
		number, code, coded := strings.Cut(args[2], "=")
		status, err := strconv.Atoi(number)
		ts.Check(err)
		fault = testregistry.Status(status, "")
		if coded {
			fault = refuseWith(status, code)
		}
	}
	w.named(ts, args[0]).Fault(testregistry.Always(args[1], fault))
}

// refuseWith answers with an error code and a message.
func refuseWith(status int, code string) testregistry.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"errors": [{"code": %q, "message": "for a reason"}]}`, code)
		})
	}
}

// emptyList answers with an empty list of referrers.
func emptyList(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", ocispec.MediaTypeImageIndex)
		_, _ = w.Write([]byte(`{"schemaVersion":2,"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[]}`))
	})
}

// blocked NAME KIND COMMAND... starts a command and returns when its first request of that
// kind has arrived. The registry answers it after unblock.
func (w *world) blocked(ts *testscript.TestScript, _ bool, args []string) {
	stalled := make(chan struct{}, 1)
	b := &blockedCommand{release: make(chan struct{}), cmd: exec.Command(args[2], args[3:]...)}
	w.named(ts, args[0]).Fault(stalling(args[1], b.release, stalled))
	b.cmd.Dir, b.cmd.Stderr, b.cmd.Env = ts.MkAbs("."), &b.stderr, environment(ts)
	ts.Check(b.cmd.Start())
	w.running = b
	ts.Defer(func() { _ = b.cmd.Process.Kill() }) // if the script fails before unblock
	b.ended = make(chan error, 1)
	go func() { b.ended <- b.cmd.Wait() }()
	select {
	case <-stalled:
	case err := <-b.ended:
		ts.Fatalf("the command ended before it was blocked: %v\n%s", err, b.stderr.String())
	}
}

// blockedCommand is a command that waits for the answer of a registry.
type blockedCommand struct {
	cmd     *exec.Cmd
	stderr  strings.Builder
	release chan struct{}
	ended   chan error
}

// unblock NAME answers the blocked command and waits until it ends. With ! the command has to
// fail; its standard error is in the file unblocked.
func (w *world) unblock(ts *testscript.TestScript, neg bool, args []string) {
	w.named(ts, args[0]).Fault(nil)
	close(w.running.release)
	if err := <-w.running.ended; (err != nil) != neg {
		ts.Fatalf("%v\n%s", err, w.running.stderr.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("unblocked"), []byte(w.running.stderr.String()), 0o600))
}

// interrupt SIGNAL CODE NAME KIND COMMAND... sends a signal while a request of that kind waits
// for its answer, checks the exit code and writes standard error to the file interrupted.
func (w *world) interrupt(ts *testscript.TestScript, neg bool, args []string) {
	w.blocked(ts, neg, args[2:])
	signals := map[string]os.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM}
	ts.Check(w.running.cmd.Process.Signal(signals[args[0]]))
	code := exitOf(ts, <-w.running.ended)
	w.named(ts, args[2]).Fault(nil)
	close(w.running.release)
	if strconv.Itoa(code) != args[1] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[1], w.running.stderr.String())
	}
	ts.Check(os.WriteFile(ts.MkAbs("interrupted"), []byte(w.running.stderr.String()), 0o600))
}

// stalling holds all requests of a kind until release, and sends to stalled at the first.
func stalling(kind string, release <-chan struct{}, stalled chan<- struct{}) func(*http.Request, int) testregistry.Fault {
	choose := testregistry.Always(kind, testregistry.Stall(release))
	return func(req *http.Request, n int) testregistry.Fault {
		fault := choose(req, n)
		if fault != nil {
			select {
			case stalled <- struct{}{}:
			default:
			}
		}
		return fault
	}
}
