package config

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
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
	fmt.Fprintf(lines, "apiVersion: %s\nkind: %s\n", APIVersion, LockKind)
	if len(sorted) == 0 {
		fmt.Fprintln(lines, "artifacts: []")
	} else {
		fmt.Fprintln(lines, "artifacts:")
	}
	writeLines(lines, sorted, (*LockedArtifact).appendLine)
	if len(all.Pending) > 0 {
		lines.WriteString(pendingKey)
		writeLines(lines, all.Pending, (*PendingArtifact).appendLine)
	}
	if len(all.Repositories) > 0 {
		lines.WriteString(repositoriesKey)
		writeLines(lines, all.Repositories, (*LockedRepository).appendLine)
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

// repositoriesKey is the line before the repositories.
const repositoriesKey = "repositories:\n"

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

func writableRepositories(all []LockedRepository) error {
	seen := make(map[string]bool, len(all))
	for i := range all {
		r := &all[i]
		name := r.Repository.Name()
		if parsed, err := ParseReference(name); err != nil || parsed != r.Repository {
			return fmt.Errorf("%s: invalid repository", name)
		}
		if key, reason := r.fault(); reason != "" {
			return fmt.Errorf("%s: %s: %s", name, key, reason)
		}
		if seen[name] {
			return fmt.Errorf("%s: locked twice", name)
		}
		seen[name] = true
	}
	return nil
}

// unreadable returns why the line of the artifact would not load to it again, or "".
func (a *LockedArtifact) unreadable() (reason string) {
	if parsed, err := ParseReference(a.Reference.String()); err != nil || parsed != a.Reference {
		return "invalid reference"
	}
	for _, p := range a.Platforms {
		if parsed, err := ParsePlatform(p.String()); err != nil || parsed != p {
			return fmt.Sprintf("invalid platform: %q", p)
		}
	}
	a.faults(func(_, at, fault string) {
		if reason == "" {
			reason = at + ": " + fault
		}
	})
	return reason
}

func (a *LockedArtifact) appendLine(b []byte) []byte {
	b = append(b, "  - {reference: "...)
	b = appendScalar(b, a.Reference.String())
	b = append(b, ", digest: "...)
	b = append(b, a.Digest...)
	b = append(b, ", mediaType: "...)
	b = appendScalar(b, a.MediaType)
	b = append(b, ", size: "...)
	b = strconv.AppendInt(b, a.Size, 10)
	b = appendList(b, "platforms", a.Platforms)
	b = appendList(b, "referrers", a.Referrers)
	b = appendList(b, "subjects", a.Subjects)
	if len(a.SignedBy) > 0 {
		b = append(b, ", signedBy: ["...)
		for i, signer := range a.SignedBy {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = strconv.AppendQuoteToASCII(b, signer)
		}
		b = append(b, ']')
	}
	if a.From != "" {
		b = appendScalar(append(b, ", from: "...), a.From)
	}
	if a.Repo != "" {
		b = appendScalar(append(b, ", repo: "...), a.Repo)
	}
	return append(b, "}\n"...)
}

func (r *LockedRepository) appendLine(b []byte) []byte {
	b = append(b, "  - {repository: "...)
	b = appendScalar(b, r.Repository.Name())
	b = append(b, ", size: "...)
	b = strconv.AppendInt(b, r.Size, 10)
	return append(b, "}\n"...)
}

// appendList appends a list of words that need no quotes: platforms or digests.
func appendList[T fmt.Stringer](b []byte, key string, list []T) []byte {
	if len(list) == 0 {
		return b
	}
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = v.String()
	}
	return append(b, ", "+key+": ["+strings.Join(words, ", ")+"]"...)
}

// plain matches text that every YAML parser reads as a string without quotes, also within
// braces: its slash keeps it from being a number, a date or a keyword of YAML.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@:+-]*/[A-Za-z0-9._@:/+-]*[A-Za-z0-9_]$`)

// appendScalar appends a string, in quotes if necessary. The escapes of Go mean the same in
// the double quotes of YAML.
func appendScalar(b []byte, s string) []byte {
	if plain.MatchString(s) {
		return append(b, s...)
	}
	return strconv.AppendQuoteToASCII(b, s)
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
