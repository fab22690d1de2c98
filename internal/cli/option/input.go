package option

import (
	"io"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/store"
)

// InputFlags name the layouts to read as one.
type InputFlags struct {
	Input   []string `sep:"none" placeholder:"PATH" help:"Read this directory, tar archive of any kind, or s3://BUCKET/NAME or s3://BUCKET/PREFIX/; - for standard input. A quoted pattern such as 'NAME.*.tgz' reads all files that match. Repeatable: a delta with its base, and others, count as what merge makes of them."`
	TempDir string   `type:"existingdir" placeholder:"PATH" help:"Put temporary files in this folder, such as an archive of another tool that comes through a pipe."`
}

// Name names the inputs in messages.
func (f *InputFlags) Name() string { return strings.Join(f.Input, ", ") }

// Claim checks that the flags name an input, and claims standard input for it if needed.
func (f *InputFlags) Claim(s *Stdin, stdinTerminal bool) error {
	if len(f.Input) == 0 || slices.Contains(f.Input, "") {
		return exit.Usage("name a bundle or a directory with --input PATH, or --input - for standard input", "missing --input")
	}
	for _, input := range f.Input {
		if input != "-" {
			continue
		}
		if stdinTerminal {
			return exit.Usage("pipe an archive into it", "standard input is a terminal")
		}
		if err := s.Claim("--input -"); err != nil {
			return err
		}
	}
	return nil
}

// HasStdin reports whether an input comes through standard input.
func (f *InputFlags) HasStdin() bool { return slices.Contains(f.Input, "-") }

// Open opens the inputs as one. It calls spooling with the name and the size of an archive
// before it unpacks it to a temporary file; the size is -1 if it is not known.
func (f *InputFlags) Open(stdin io.Reader, spooling func(name string, size int64), buckets store.Buckets) (store.Input, error) {
	options := func(path string) store.OpenOptions {
		return store.OpenOptions{TempDir: f.TempDir, Buckets: buckets, Spooling: func(size int64) { spooling(path, size) }}
	}
	open := func(path string) (store.Layout, error) { return store.OpenLayout(path, options(path)) }
	if !f.HasStdin() {
		return OpenLayouts(f.Input, open)
	}
	others := slices.DeleteFunc(slices.Clone(f.Input), func(path string) bool { return path == "-" })
	in, err := store.OpenStream(stdin, options("-"))
	if err != nil || len(others) == 0 {
		return in, err
	}
	return openBeside(in, others, open)
}

// OpenLayouts opens the layouts that paths and patterns name as one.
func OpenLayouts(patterns []string, open func(path string) (store.Layout, error)) (store.Layout, error) {
	paths, err := ExpandInputs(patterns)
	if err != nil {
		return nil, err
	}
	return store.OpenUnion(paths, open)
}
