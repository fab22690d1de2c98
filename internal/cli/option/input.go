package option

import (
	"io"

	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/store"
)

// InputFlags name the layout to read.
type InputFlags struct {
	Input   string `placeholder:"PATH" help:"Read this directory, tar archive of any kind, or s3://BUCKET/NAME or s3://BUCKET/PREFIX/; - for standard input."`
	TempDir string `type:"existingdir" placeholder:"PATH" help:"Put temporary files in this folder, such as an archive of another tool that comes through a pipe."`
}

// Claim checks that the flags name an input, and claims standard input for it if needed.
func (f *InputFlags) Claim(s *Stdin, stdinTerminal bool) error {
	switch {
	case f.Input == "":
		return exit.Usage("name a bundle or a directory with --input PATH, or --input - for standard input", "missing --input")
	case f.Input != "-":
		return nil
	case stdinTerminal:
		return exit.Usage("pipe an archive into it", "standard input is a terminal")
	}
	return s.Claim("--input -")
}

// Open opens the input. It calls spooling with the name and the size of an archive before
// it unpacks it to a temporary file; the size is -1 if it is not known.
func (f *InputFlags) Open(stdin io.Reader, spooling func(name string, size int64), buckets store.Buckets) (store.Input, error) {
	options := func(path string) store.OpenOptions {
		return store.OpenOptions{TempDir: f.TempDir, Buckets: buckets, Spooling: func(size int64) { spooling(path, size) }}
	}
	paths := f.paths()
	if len(paths) == 1 && paths[0] == "-" {
		return store.OpenStream(stdin, options("-"))
	}
	return store.OpenUnion(paths, func(path string) (store.Layout, error) { return store.OpenLayout(path, options(path)) })
}

// paths lists the inputs.
func (f *InputFlags) paths() []string { return []string{f.Input} }
