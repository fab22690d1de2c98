package main

import (
	_ "embed"
)

// The scripts hand the words on the command line to "oras-mirror __complete" and
// show what it prints, so that they know nothing of the grammar.
var (
	//go:embed completion/bash.sh
	bashCompletion []byte
	//go:embed completion/zsh.zsh
	zshCompletion []byte
	//go:embed completion/fish.fish
	fishCompletion []byte
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (completionCommand) Help() string {
	return `Examples:

    source <(oras-mirror completion bash)                                        # in ~/.bashrc
    oras-mirror completion zsh >"${fpath[1]}/_oras-mirror"
    oras-mirror completion fish >~/.config/fish/completions/oras-mirror.fish`
}

func (c *completionCommand) Run(u *ui) error {
	script := map[string][]byte{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Shell]
	_, err := u.Stdout.Write(script)
	return err
}
