package cli

import (
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
)

// TestSpecTextIsValid checks that the spec of init is valid, with and without the examples
// in its comments.
func TestSpecTextIsValid(t *testing.T) {
	sources := []string{"registry.k8s.io/pause:3.10", "localhost:5000/a/b", "a.io/b:v1,v2", "[::1]:5000/c:1.0@sha256:" + strings.Repeat("1", 64)}
	text := specText(sources)
	for _, spec := range []string{text, uncommented(text)} {
		s, err := config.Parse("init", []byte(spec))
		if err != nil {
			t.Fatalf("%v\n%s", err, spec)
		}
		if len(s.Sources) < len(sources) {
			t.Errorf("%d sources of %d", len(s.Sources), len(sources))
		}
		if _, err := s.Mapper(); err != nil {
			t.Error(err)
		}
		if _, err := s.ResolveTargets(); err != nil {
			t.Error(err)
		}
	}
}

// uncommented removes the # from lines of YAML: those have no space after it, or two.
func uncommented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, "#")
		if ok && (!strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, "  ")) {
			line = rest
		}
		b.WriteString(line)
	}
	return b.String()
}
