package glob

import (
	"slices"
	"strings"
	"testing"
)

func TestAlternatives(t *testing.T) {
	for pattern, want := range map[string]string{
		"a.io/b":            "a.io/b",
		"{a.io,b.io}/**":    "a.io/** b.io/**",
		"a{b,c{d,e}}f":      "abf acdf acef",
		"{a,b}{c,d}":        "ac ad bc bd",
		"[{,}]/a":           "[{,}]/a",
		`\{a,b\}/c`:         `\{a,b\}/c`,
		"{docker.io/,}x":    "docker.io/x x",
		"{a.io/x,b.io:443}": "a.io/x b.io:443",
	} {
		if got := Alternatives(pattern); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: got %q, want %q", pattern, got, want)
		}
	}
}

// TestManyBraces takes no time that grows with their product.
func TestManyBraces(t *testing.T) {
	if n := len(Alternatives(strings.Repeat("{a,b}", 60))); n > 2*maxAlternatives {
		t.Errorf("%d alternatives", n)
	}
	for _, odd := range []string{"{", "}", "a}b{", "{a", "[{]", `\{a,b\}`, "{}", "{,}"} {
		if len(Alternatives(odd)) == 0 {
			t.Errorf("%q has no alternative", odd)
		}
	}
}
