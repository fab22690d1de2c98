package docs

import (
	"os"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/cli"
	"github.com/oras-mirror/oras-mirror/internal/stories"
)

// TestMain runs the tests in the folder of the module, with the program as a command.
func TestMain(m *testing.M) {
	stories.Main(m, "docs", "..", func() { os.Exit(cli.Main("", os.Args[1:])) })
}
