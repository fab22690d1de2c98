package config

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// WriteTo writes the lock, sorted by reference, with one line for each artifact,
// so that an artifact that changed is one line of a diff. The same artifacts give
// the same bytes, in whatever order they come, and load to the same artifacts.
// Nothing is written of a lock that would not load.
func (l *Lock) WriteTo(w io.Writer) (int64, error) {
	sorted := sortedArtifacts(l.Artifacts)
	if err := writable(sorted); err != nil {
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
	var line []byte
	for i := range sorted {
		line = sorted[i].appendLine(line[:0])
		lines.Write(line)
	}
	err := lines.Flush() // the first error of all of these
	return out.n, err
}

// writable returns what is wrong with artifacts that a program made.
func writable(artifacts []LockedArtifact) error {
	seen := make(map[string]bool, len(artifacts))
	for i := range artifacts {
		a := &artifacts[i]
		if reason := a.unreadable(); reason != "" {
			return fmt.Errorf("%s: %s", a.Reference, reason)
		}
		if name := a.Reference.EntryName(); seen[name] {
			return fmt.Errorf("%s: locked twice", name)
		} else {
			seen[name] = true
		}
	}
	return nil
}

// unreadable says why the artifact would not come back from its line, or "".
func (a *LockedArtifact) unreadable() (reason string) {
	if again, err := ParseReference(a.Reference.String()); err != nil || again != a.Reference {
		return "invalid reference"
	}
	for _, p := range a.Platforms {
		if again, err := ParsePlatform(p.String()); err != nil || again != p {
			return fmt.Sprintf("invalid platform: %q", p)
		}
	}
	a.faults(func(_, at, why string) {
		if reason == "" {
			reason = at + ": " + why
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
	return append(b, "}\n"...)
}

// appendList writes words that need no quotes: platforms, digests.
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

// plain is what every YAML parser takes for a string without quotes, within
// braces, too: with a slash it is neither number, date nor any word of YAML.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@:+-]*/[A-Za-z0-9._@:/+-]*[A-Za-z0-9_]$`)

// appendScalar writes a string, in quotes if need be. What Go escapes in one
// means the same in YAML's double quotes.
func appendScalar(b []byte, s string) []byte {
	if plain.MatchString(s) {
		return append(b, s...)
	}
	return strconv.AppendQuoteToASCII(b, s)
}

// counter counts what is written through it.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
