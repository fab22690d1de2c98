package cli

import (
	"context"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/cli/option"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/store"
)

// openInput opens the input of a command that reads nothing else from standard input. The spec,
// which may be nil, says how buckets are reached.
func openInput(ctx context.Context, f *option.InputFlags, u *console.Console, spec *config.Spec) (store.Input, error) {
	if err := f.Claim(&option.Stdin{}, u.StdinTerminal); err != nil {
		return nil, err
	}
	if f.HasStdin() && len(f.Input) > 1 {
		return nil, exit.Usage("save the archive to a file first", "only restore reads standard input together with another --input")
	}
	buckets, err := openBuckets(ctx, u, spec)
	if err != nil {
		return nil, err
	}
	return f.Open(u.Stdin, u.Spooling, buckets)
}

// inputFiles lists the files of the inputs, as far as they are known.
func inputFiles(f *option.InputFlags) []overwrite.File {
	inputs, err := option.ExpandInputs(f.Input)
	if err != nil { // the run says so
		inputs = f.Input
	}
	var all []overwrite.File
	for _, input := range inputs {
		if input == "-" {
			input = overwrite.StdinPath
		}
		all = append(all, overwrite.LayoutFiles("the input", input)...)
	}
	return all
}
