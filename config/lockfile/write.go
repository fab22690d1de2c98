package lockfile

import (
	"bufio"
	"cmp"
	"fmt"
	"io"

	"github.com/oras-mirror/oras-mirror/config"
)

// WriteTo writes the lock, sorted by reference, with one line per artifact, so that a changed
// artifact is one line of a diff. The same artifacts in any order give the same bytes, and
// those load to the same artifacts. WriteTo writes nothing of a lock that would not load.
func (l *Lock) WriteTo(w io.Writer) (int64, error) {
	all := l.sorted()
	sorted := all.Artifacts
	if err := all.writable(); err != nil {
		return 0, err
	}
	out := &counter{w: w}
	lines := bufio.NewWriter(out)
	fmt.Fprintf(lines, "apiVersion: %s\nkind: %s\n", config.APIVersion, Kind)
	if len(sorted) == 0 {
		fmt.Fprintln(lines, "artifacts: []")
	} else {
		fmt.Fprintln(lines, "artifacts:")
	}
	writeLines(lines, sorted, (*Artifact).appendLine)
	if len(all.Pending) > 0 {
		lines.WriteString(pendingKey)
		writeLines(lines, all.Pending, (*Pending).appendLine)
	}
	if len(all.Repositories) > 0 {
		lines.WriteString(repositoriesKey)
		writeLines(lines, all.Repositories, (*Repository).appendLine)
	}
	err := lines.Flush() // the first error of any write
	return out.n, err
}

// writeLines writes a list, one value a line. The writer keeps its first error.
func writeLines[T any](w *bufio.Writer, all []T, write func(*T, []byte) []byte) {
	var line []byte
	for i := range all {
		line = write(&all[i], line[:0])
		w.Write(line)
	}
}

// writable returns an error if the lock would not load again.
func (l *Lock) writable() error {
	seen := make(map[string]bool, len(l.Artifacts))
	for i := range l.Artifacts {
		a := &l.Artifacts[i]
		if reason := a.unreadable(); reason != "" {
			return fmt.Errorf("%s: %s", a.Reference, reason)
		}
		name := a.Reference.EntryName()
		if seen[name] {
			return fmt.Errorf("%s: locked twice", name)
		}
		seen[name] = true
	}
	return cmp.Or(writablePending(l.Pending), writableRepositories(l.Repositories))
}

// counter counts the bytes that are written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
