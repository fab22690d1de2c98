// Package metrics writes the outcome of a run in the text format of Prometheus, to a file that
// the textfile collector of node_exporter reads. Such a file has the last run of each command
// that was given it, and keeps the time of the last success until the next one.
package metrics

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/shard"
	"github.com/oras-mirror/oras-mirror/internal/exit"
	"github.com/oras-mirror/oras-mirror/internal/overwrite"
)

// File is the metrics file of a run. A nil File does nothing.
type File struct {
	output *overwrite.Output
	run    run
	now    func() time.Time
	began  time.Time
	pace   pace
}

// Options describe the run.
type Options struct {
	Command      string
	Shard        *shard.Part // nil: the whole plan
	Retry        bool        // the run has only artifacts that failed before
	Used         []overwrite.File
	StdoutClosed bool
}

// New starts the metrics of a run. It fails if they cannot be written at path, or if the file
// there has something else than metrics of this program. It returns nil without a path.
func New(path string, o Options) (*File, error) {
	if path == "" {
		return nil, nil
	}
	output, err := overwrite.NewOutput(path, overwrite.OutputOptions{Option: "--metrics", What: "metrics", Used: o.Used, StdoutClosed: o.StdoutClosed})
	if err != nil {
		return nil, err
	}
	f := &File{output: output, now: time.Now, began: time.Now()}
	f.run = run{command: o.Command, shard: o.Shard, retry: o.Retry, file: strings.ToValidUTF8(filepath.Base(path), "_")}
	if _, err := f.read(); err != nil {
		return nil, exit.Usage("choose another file, or remove this one", "--metrics %v", err)
	}
	return f, nil
}

// Progress returns a progress that also measures how long each registry takes.
func (f *File) Progress(p engine.Progress) engine.Progress {
	if f == nil {
		return p
	}
	f.pace.began = f.began
	return &paced{Progress: p, pace: &f.pace, now: f.now}
}

// Outcome is the end of a run.
type Outcome struct {
	Report    *engine.Report // nil if the run ended before it began
	Committed bool           // the artifacts that did not fail are where they belong
	Requests  map[string]int // sent to each registry
	ExitCode  int
}

// Write replaces the file at once. It reads the file again, which the run of another command
// may have replaced.
func (f *File) Write(o Outcome) error {
	if f == nil {
		return nil
	}
	before, err := f.read()
	if err != nil {
		return err
	}
	now := f.now()
	f.run.outcome, f.run.ended, f.run.duration, f.run.paces = o, now, now.Sub(f.began), f.pace.ended
	return f.output.Replace(f.run.after(before).write)
}

// read reads the file that is there; nil if there is none.
func (f *File) read() (families, error) {
	if f.output.IsDevice() {
		return nil, nil
	}
	file, err := os.Open(f.output.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := parse(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", f.output.Path(), err)
	}
	return found, nil
}
