package cli

import (
	"github.com/oras-mirror/oras-mirror/internal/completion"
	"github.com/oras-mirror/oras-mirror/internal/console"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"Print the script for this shell: bash, zsh or fish."`
	Oras  bool   `help:"Define the shell function oras, too: \"oras mirror\" runs this program, everything else runs oras."`
}

func (completionCommand) Help() string {
	return `Examples:

    source <(oras-mirror completion bash)                                        # in ~/.bashrc
    oras-mirror completion zsh >"${fpath[1]}/_oras-mirror"
    oras-mirror completion fish >~/.config/fish/completions/oras-mirror.fish

For "oras mirror", after the completion of oras and, in zsh, compinit:

    source <(oras-mirror completion bash --oras)                                 # in ~/.bashrc
    echo 'source <(oras-mirror completion zsh --oras)' >>~/.zshrc
    echo 'oras-mirror completion fish --oras | source' >>~/.config/fish/config.fish`
}

func (c *completionCommand) Run(u *console.Console) error {
	_, err := u.Stdout.Write(completion.Script(c.Shell, c.Oras))
	return err
}
