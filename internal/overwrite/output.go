package overwrite

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/oras-mirror/oras-mirror/internal/atomicfile"
	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/filetype"
)

// Output is a file that a run writes at its end, such as a report.
type Output struct {
	path   string
	what   string // "report", for errors
	device bool   // path is a device or a pipe: it is written to, not replaced
}

// OutputOptions describe an output.
type OutputOptions struct {
	Option       string        // that names it: "--report"
	What         string        // "report"
	Written      filetype.Kind // of the document that the run writes
	Used         []File        // files that it must not replace
	StdoutClosed bool
}

// NewOutput returns an output at path. It fails if a file cannot be written there, so that the
// user learns it before a run of hours and not after it.
func NewOutput(path string, o OutputOptions) (*Output, error) {
	if path == "-" {
		return nil, exit.Usage("choose a file", "%s cannot write to standard output", o.Option)
	}
	if IsStdout(path) && o.StdoutClosed {
		return nil, exit.ErrStdoutClosed
	}
	if err := Check(o.Option, path, o.Written, o.Used); err != nil {
		return nil, err
	}
	out := &Output{path: path, what: o.What}
	switch info, err := os.Stat(path); {
	case err == nil && info.IsDir():
		return nil, exit.Usage("choose a file", "%s %s is a directory", o.Option, path)
	case err == nil && !info.Mode().IsRegular(): // such as /dev/stdout, whose link may lead to a pipe without a path
		out.device = true
		return out, nil
	}
	out.path = disk.FollowLinks(path) // keep a link, replace its target
	probe, err := atomicfile.Create(out.path)
	if err != nil {
		return nil, err
	}
	return out, probe.Close()
}

// IsDevice reports whether the output is a device or a pipe, which has no content to read.
func (o *Output) IsDevice() bool { return o.device }

// Path returns the path of the file, with symbolic links followed.
func (o *Output) Path() string { return o.path }

// Replace replaces the content at once by what write writes.
func (o *Output) Replace(write func(io.Writer) error) error {
	if o.device {
		return o.writeThrough(write)
	}
	f, err := atomicfile.Create(o.path)
	if err != nil {
		return err
	}
	if err = write(f); err == nil {
		err = f.Commit()
	}
	return errors.Join(o.failed(err), f.Close())
}

// writeThrough writes to a device or a pipe.
func (o *Output) writeThrough(write func(io.Writer) error) error {
	f, err := os.OpenFile(o.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return o.failed(errors.Join(write(f), f.Close()))
}

func (o *Output) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: cannot write the %s: %w", o.path, o.what, err)
}
