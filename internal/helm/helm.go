// Package helm runs the helm on PATH: its engine as a library would bring a client of Kubernetes
// along.
package helm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// maxOutput bounds what a chart renders to, in bytes.
const maxOutput = 64 << 20

// waitDelay is the time for which the output may stay open once helm has ended: helm may be a script
// whose program outlives it.
const waitDelay = time.Second

// ErrAbsent reports that there is no helm on PATH.
var ErrAbsent = errors.New("helm is not on PATH")

// RenderError reports a chart that helm cannot render.
type RenderError struct{ Message string } // of helm

func (e *RenderError) Error() string { return "helm template: " + e.Message }

// Template returns the manifests that a chart renders to with files of values. The chart is
// written to a temporary file for that time: helm reads no pipe.
func Template(ctx context.Context, name string, archive io.Reader, values []string) (_ []byte, err error) {
	program, err := exec.LookPath("helm")
	if err != nil {
		return nil, ErrAbsent
	}
	folder, err := os.MkdirTemp("", "oras-mirror-chart-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, "chart.tgz")
	if err := write(path, archive); err != nil {
		return nil, err
	}
	args := []string{"template", name, path}
	for _, file := range values {
		args = append(args, "--values", file)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = waitDelay
	stdout, stderr := &limited{left: maxOutput}, &limited{left: 64 << 10}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case stdout.full:
		return nil, &RenderError{fmt.Sprintf("more than %d MiB of manifests", maxOutput>>20)}
	case err != nil:
		return nil, &RenderError{message(stderr.kept.String(), err)}
	}
	return stdout.kept.Bytes(), nil
}

func write(path string, from io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, from)
	return errors.Join(err, f.Close())
}

// message returns the last line that helm has printed, without its label.
func message(stderr string, err error) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	if last := strings.TrimSpace(lines[len(lines)-1]); last != "" {
		return strings.TrimPrefix(last, "Error: ")
	}
	return err.Error()
}

// limited keeps the first bytes that are written to it. It has no ReadFrom, which io.Copy would
// call in place of Write.
type limited struct {
	kept bytes.Buffer
	left int
	full bool // more was written
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.full = l.full || n < len(p)
	l.kept.Write(p[:n])
	return len(p), nil
}
