package completion

import _ "embed"

// The scripts hand the words on the command line to "oras-mirror __complete" and
// show what it prints, so that they know nothing of the grammar.
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
