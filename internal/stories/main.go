// Package stories runs the command line stories in testdata/script: txtar files with what a
// user types, against registries in the test process. It also has checks of reports, events
// and command lines for other tests.
package stories

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// Main runs the tests of a package in the folder root, with the program as the command
// oras-mirror. At the end it prints the tests that were skipped.
func Main(m *testing.M, name, root string, program func()) {
	testscript.Main(counted{m, name, root}, map[string]func(){"oras-mirror": program})
}

// counted runs tests and prints the skipped ones at the end.
type counted struct {
	*testing.M
	name, root string
}

// Run implements testscript.TestingM.
func (c counted) Run() int {
	if err := os.Chdir(c.root); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := c.M.Run()
	if err := skipped.Report(os.Stderr, c.name); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
