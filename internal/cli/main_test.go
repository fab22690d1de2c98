package cli

import (
	"os"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/stories"
)

// TestMain runs the tests in the folder of the module, with the program as a command.
func TestMain(m *testing.M) {
	stories.Main(m, "internal/cli", "../..", func() { os.Exit(Main("", os.Args[1:])) })
}
