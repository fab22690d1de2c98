package cli

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/console"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// outputPath is --output, or what the spec says.
func (c *backupCommand) outputPath(spec *config.Spec, u *console.Console) (string, error) {
	path, err := c.outputOf(spec)
	switch {
	case err != nil:
		return "", err
	case path == "":
		return "", exit.Usage("say where with --output PATH, or with output in the spec", "no --output")
	case path == "-" && c.Format == "json":
		return "", exit.Usage("write the archive to a file", "standard output cannot carry both the archive and the events of --format json")
	case overwrite.IsStdout(path) && u.StdoutClosed:
		return "", exit.ErrStdoutClosed
	case path == "-" && u.StdoutTerminal:
		return "", exit.Usage("redirect it into a file or a pipe", "an archive is not written to a terminal")
	}
	return path, nil
}

// outputOf is --output, or what the spec says, or nothing.
func (c *backupCommand) outputOf(spec *config.Spec) (string, error) {
	if c.Output != "" {
		return c.Output, nil
	}
	return spec.OutputPath(time.Now())
}

// mayReplaceOutput refuses an archive over what the backup reads. An archive or a
// directory that it reads as a layout can be its output, too: all of that comes along.
func (c *backupCommand) mayReplaceOutput(spec *config.Spec, path string) error {
	info, err := os.Stat(path)
	if path == "" || path == "-" || os.IsPathSeparator(path[len(path)-1]) || err == nil && info.IsDir() {
		return nil
	}
	option := "--output"
	if c.Output == "" {
		option = "output"
	}
	used := c.filesRead(spec)
	used = slices.DeleteFunc(used, func(f overwrite.File) bool { return f.What == overwrite.ALayoutOfTheSpec })
	return overwrite.Check(option, path, "", used)
}

// filesRead are those that a backup reads.
func (c *backupCommand) filesRead(spec *config.Spec) []overwrite.File {
	all := slices.Concat(overwrite.FilesOf(c.Spec, spec), c.FilesNamed())
	if c.Locked {
		all = append(all, overwrite.File{What: "the lock", Path: config.LockPath(c.Spec)})
	}
	if slices.Contains(c.References, "-") {
		all = append(all, overwrite.File{What: "standard input", Path: overwrite.StdinPath})
	}
	return all
}

// filesInUse returns the files that a backup reads and writes, as far as they are known.
func (c *backupCommand) filesInUse(b backupJob) []overwrite.File {
	all := slices.Concat(c.filesRead(b.spec), c.FilesWritten())
	output := cmp.Or(b.output, c.Output)
	if output == "-" {
		return append(all, overwrite.File{What: "the output", Path: overwrite.StdoutPath})
	}
	return append(all, overwrite.InLayout("the output", strings.TrimRight(output, string(os.PathSeparator)))...)
}

// openPrevious opens the archive that is about to be replaced, for what it has
// already. One that cannot be read, or only from front to end, is of no use and
// no error: it is replaced. Windows does not rename over a file that is open.
func openPrevious(out store.Destination, path string) store.Layout {
	if _, isArchive := out.(*store.Archive); !isArchive {
		return nil
	}
	return openReplaced(path)
}

func openReplaced(path string) store.Layout {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	_, err = bundle.Open(f, info.Size())
	if closeErr := f.Close(); err != nil || closeErr != nil {
		return nil
	}
	previous, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		return nil
	}
	return previous
}

func closeLayout(l store.Layout) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// adviseDirectory speaks to those who expected a directory.
func (b *backupJob) adviseDirectory(u *console.Console, out store.Destination) {
	_, isArchive := out.(*store.Archive)
	info, err := os.Stat(b.output)
	if !isArchive || !b.isNew || err != nil || !info.Mode().IsRegular() || filepath.Ext(b.output) != "" {
		return
	}
	u.Hint(strings.TrimSuffix(b.output, "/") + ` is a compressed tar file; "--output ` + b.output + `/" makes a directory`)
}
