package stories

import (
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

var variable = regexp.MustCompile(`\$[A-Z]+\b`)

// fill FILE... replaces $NAME by the value of the variable in the script.
func fill(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := variable.ReplaceAllStringFunc(ts.ReadFile(name), func(v string) string { return ts.Getenv(v[1:]) })
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}

// replace FILE PATTERN TEXT replaces what a regular expression matches in a file.
func replace(ts *testscript.TestScript, _ bool, args []string) {
	before := ts.ReadFile(args[0])
	after := regexp.MustCompile(args[1]).ReplaceAllString(before, args[2])
	if after == before {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(after), 0o600))
}

// exits CODE COMMAND... runs a command that ends with that code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if code := exitOf(ts, ts.Exec(args[1], args[2:]...)); strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[0], ts.ReadFile("stderr"))
	}
}

// says FILE checks that each line of a file, a regular expression, matches a line of standard
// error or standard output of the last command.
func says(ts *testscript.TestScript, _ bool, args []string) {
	said := ts.ReadFile("stderr") + ts.ReadFile("stdout")
	for pattern := range strings.Lines(ts.ReadFile(args[0])) {
		if !regexp.MustCompile("(?m)" + strings.TrimSuffix(pattern, "\n")).MatchString(said) {
			ts.Fatalf("nothing matches %s in:\n%s", pattern, said)
		}
	}
}

// exitOf returns the exit code of a command that ended with err.
func exitOf(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

// environment returns the variables that the program reads.
func environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR", "GORACE",
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_SHARED_CREDENTIALS_FILE"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// damage truncate|flip FILE cuts a file in half, or flips a bit in its middle.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[1])
	data, err := os.ReadFile(path)
	ts.Check(err)
	switch args[0] {
	case "truncate":
		data = data[:len(data)/2]
	case "flip":
		data[len(data)/2] ^= 1
	default:
		ts.Fatalf("unknown damage %s", args[0])
	}
	ts.Check(os.WriteFile(path, data, 0o600))
}
