package config

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/opencontainers/go-digest"
)

// scanLock reads a lock that is just as WriteTo writes it. A parser for all of
// YAML would take ten times the memory and the time, which counts for a lock of
// a hundred thousand artifacts. For any other text ok is false.
func scanLock(data []byte) (artifacts []LockedArtifact, ok bool) {
	const head = "apiVersion: " + APIVersion + "\nkind: " + LockKind + "\nartifacts:\n"
	rest, ok := bytes.CutPrefix(data, []byte(head))
	if !ok {
		return nil, false
	}
	var again []byte
	for line := range bytes.Lines(rest) {
		a, ok := scanArtifact(string(line))
		if !ok {
			return nil, false
		}
		if again = a.appendLine(again[:0]); !bytes.Equal(again, line) {
			return nil, false
		}
		artifacts = append(artifacts, a)
	}
	return artifacts, len(artifacts) > 0 && writable(artifacts) == nil
}

// scanArtifact takes a line apart as far as that is needed to write it again,
// which shows whether it was a line of ours.
func scanArtifact(line string) (a LockedArtifact, ok bool) {
	s := scan{rest: line}
	reference, err := ParseReference(s.scalar("  - {reference: "))
	if err != nil {
		return a, false
	}
	a.Reference = reference
	a.Digest = digest.Digest(s.scalar(", digest: "))
	a.MediaType = s.scalar(", mediaType: ")
	a.Size, err = strconv.ParseInt(s.scalar(", size: "), 10, 64)
	for _, word := range s.list(", platforms: [") {
		p, wrong := ParsePlatform(word)
		if wrong != nil {
			return a, false
		}
		a.Platforms = append(a.Platforms, p)
	}
	for _, word := range s.list(", referrers: [") {
		a.Referrers = append(a.Referrers, digest.Digest(word))
	}
	for _, word := range s.list(", subjects: [") {
		a.Subjects = append(a.Subjects, digest.Digest(word))
	}
	return a, err == nil && s.rest == "}\n"
}

// scan is what is left of a line.
type scan struct{ rest string }

// scalar returns what stands behind prefix, without its quotes; "" if it does
// not stand there.
func (s *scan) scalar(prefix string) string {
	rest, ok := strings.CutPrefix(s.rest, prefix)
	if !ok {
		return ""
	}
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		s.rest = rest[len(quoted):]
		value, _ := strconv.Unquote(quoted)
		return value
	}
	end := strings.IndexAny(rest, ",}")
	if end < 0 {
		return ""
	}
	s.rest = rest[end:]
	return rest[:end]
}

// list returns the words behind prefix, nil if it does not stand there.
func (s *scan) list(prefix string) []string {
	rest, ok := strings.CutPrefix(s.rest, prefix)
	words, after, closed := strings.Cut(rest, "]")
	if !ok || !closed {
		return nil
	}
	s.rest = after
	return strings.Split(words, ", ")
}
