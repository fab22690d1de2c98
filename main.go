// Oras-mirror backs up OCI artifacts from many registries into one OCI layout and restores
// them to any registry. Package internal/cli has its commands.
package main

import (
	"os"

	"github.com/oras-mirror/oras-mirror/internal/cli"
)

// version is set by the linker in a release.
var version string

func main() {
	os.Exit(cli.Main(version, os.Args[1:]))
}
