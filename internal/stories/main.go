package stories

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// Main runs the tests of a package in the folder root, with the program as the command
// oras-mirror, and prints last what was not tested.
func Main(m *testing.M, name, root string, program func()) {
	testscript.Main(counted{m, name, root}, map[string]func(){"oras-mirror": program})
}

// counted are tests that print last what was not tested.
type counted struct {
	*testing.M
	name, root string
}

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
