package completion

import (
	_ "embed"
	"slices"
)

// Each script passes the words of the command line to "oras-mirror __complete" and shows the
// candidates that it prints.
var (
	//go:embed bash.sh
	bash []byte
	//go:embed zsh.zsh
	zsh []byte
	//go:embed fish.fish
	fish []byte
)

// Each of these adds the function oras, which makes "oras mirror" of this program. bash and zsh
// share the first.
var (
	//go:embed oras.sh
	sharedOras []byte
	//go:embed oras.bash
	bashOras []byte
	//go:embed oras.zsh
	zshOras []byte
	//go:embed oras.fish
	fishOras []byte
)

// Script returns the completion script of bash, zsh or fish; with the function oras if
// withOras is set.
func Script(shell string, withOras bool) []byte {
	script := map[string][]byte{"bash": bash, "zsh": zsh, "fish": fish}[shell]
	if !withOras {
		return script
	}
	switch shell {
	case "bash":
		return slices.Concat(script, sharedOras, bashOras)
	case "zsh":
		return slices.Concat(script, sharedOras, zshOras)
	}
	return slices.Concat(script, fishOras)
}
