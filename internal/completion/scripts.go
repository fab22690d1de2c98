package completion

import _ "embed"

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

// Script returns the completion script of bash, zsh or fish.
func Script(shell string) []byte {
	return map[string][]byte{"bash": bash, "zsh": zsh, "fish": fish}[shell]
}
