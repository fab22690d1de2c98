package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// program is the path of the binary under test.
var program string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "oras-mirror-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "oras-mirror"+executable)
	args, cgo := []string{"build", "-o", program}, "CGO_ENABLED=0" // as it is released
	if os.Getenv("RACE") == "1" {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	build := exec.Command("go", append(args, "..")...)
	build.Env = append(os.Environ(), cgo)
	if output, err := build.CombinedOutput(); err != nil {
		os.Stderr.Write(output)
		return 1
	}
	code := m.Run()
	if err := skipped.Report(os.Stderr, "e2e"); err != nil {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	return code
}

var executable = map[bool]string{true: ".exe"}[runtime.GOOS == "windows"]

// tool returns the path of a program that `make tools` installed.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", ".tools", name+executable))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v: run make tools", err)
		}
		skipped.Test(t, name, fmt.Sprintf("%v: run make tools", err))
	}
	return path
}

// desk is the place of the user of one story: an empty working folder, and a home that no
// other story has.
type desk struct {
	t    *testing.T
	Dir  string
	home string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return &desk{t: t, Dir: t.TempDir(), home: t.TempDir()}
}

// write puts a file into the working folder.
func (d *desk) write(name, content string) {
	d.t.Helper()
	if err := os.WriteFile(d.path(name), []byte(content), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// read returns a file of the working folder.
func (d *desk) read(name string) string {
	d.t.Helper()
	data, err := os.ReadFile(d.path(name))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(data)
}

func (d *desk) path(name string) string { return filepath.Join(d.Dir, name) }

func (d *desk) exists(name string) bool {
	_, err := os.Lstat(d.path(name))
	return err == nil
}

// files lists the working folder.
func (d *desk) files() []string {
	d.t.Helper()
	entries, err := os.ReadDir(d.Dir)
	if err != nil {
		d.t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// outcome is the result of one command.
type outcome struct {
	t              *testing.T
	line           string
	code           int
	stdout, stderr string
}

// command makes a command that runs in the working folder with the desk's home.
func (d *desk) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(d.t.Context(), name, args...)
	cmd.Dir = d.Dir
	cmd.Env = append(environment(),
		"HOME="+d.home,
		"DOCKER_CONFIG="+filepath.Join(d.home, ".docker"),
		"XDG_RUNTIME_DIR="+d.home,
		"XDG_CONFIG_HOME="+filepath.Join(d.home, ".config"),
		"NO_PROXY=localhost,127.0.0.1",
		"GORACE=atexit_sleep_ms=0",
	)
	return cmd
}

// environment is this process's, less what would change a program under test:
// distribution reads REGISTRY_AUTH_FILE, podman's and ours, as a part of its
// configuration.
func environment() []string {
	return slices.DeleteFunc(os.Environ(), func(variable string) bool {
		return strings.HasPrefix(variable, "REGISTRY_")
	})
}

// run runs a command to its end, whatever that is.
func (d *desk) run(stdin io.Reader, name string, args ...string) outcome {
	d.t.Helper()
	return d.finish(stdin, d.command(name, args...))
}

// finish runs what command made, with more of an environment perhaps.
func (d *desk) finish(stdin io.Reader, cmd *exec.Cmd) outcome {
	d.t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		d.t.Fatal(err)
	}
	return outcome{
		t:      d.t,
		line:   filepath.Base(cmd.Path) + " " + strings.Join(cmd.Args[1:], " "),
		code:   cmd.ProcessState.ExitCode(),
		stdout: stdout.String(),
		stderr: stderr.String(),
	}
}

// mirror runs oras-mirror.
func (d *desk) mirror(args ...string) outcome {
	d.t.Helper()
	return d.run(nil, program, args...)
}

// mirrorWith runs oras-mirror with something on its standard input.
func (d *desk) mirrorWith(stdin io.Reader, args ...string) outcome {
	d.t.Helper()
	return d.run(stdin, program, args...)
}

// oras runs the oras CLI, which must succeed, and returns its standard output.
func (d *desk) oras(args ...string) string {
	d.t.Helper()
	return d.run(nil, tool(d.t, "oras"), args...).exits(0).stdout
}

// exits checks the exit code.
func (o outcome) exits(code int) outcome {
	o.t.Helper()
	if o.code != code {
		o.t.Fatalf("%s: exit %d, want %d\n%s%s", o.line, o.code, code, o.stdout, o.stderr)
	}
	return o
}

// says checks that standard error has each of some texts.
func (o outcome) says(texts ...string) outcome {
	o.t.Helper()
	for _, text := range texts {
		if !strings.Contains(o.stderr, text) {
			o.t.Errorf("%s: standard error lacks %q:\n%s", o.line, text, o.stderr)
		}
	}
	return o
}

// snapshot walks a registry.
func snapshot(t *testing.T, access testregistry.Access) testregistry.Contents {
	t.Helper()
	contents, err := testregistry.Snapshot(t.Context(), access)
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// same checks that a registry has what is wanted, all of it and nothing else.
func same(t *testing.T, want testregistry.Contents, access testregistry.Access) {
	t.Helper()
	if len(want) == 0 {
		t.Fatal("nothing is wanted: the story is wrong")
	}
	for _, line := range testregistry.Diff(want, snapshot(t, access)) {
		t.Error(line)
	}
}
