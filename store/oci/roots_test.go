package oci

import (
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestRootsDigest(t *testing.T) {
	sum := func(text string) digest.Digest { return digest.FromString(text) }
	x := &Index{Entries: []Entry{{Digest: sum("b"), Name: "r.example/b:1"}, {Digest: sum("a"), Name: "r.example/a:1"},
		{Digest: sum("sig"), Name: "r.example/a:sha256-" + sum("a").Encoded() + ".sig"}, {Digest: sum("referrer")}}}
	lines := []string{string(sum("a")) + " r.example/a:1\n", string(sum("b")) + " r.example/b:1\n"}
	if lines[0] > lines[1] {
		lines[0], lines[1] = lines[1], lines[0]
	}
	if got, want := x.RootsDigest(nil), sum(lines[0]+lines[1]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	only := x.RootsDigest(func(name string) bool { return name == "r.example/a:1" })
	if want := sum(string(sum("a")) + " r.example/a:1\n"); only != want {
		t.Errorf("with only: got %s, want %s", only, want)
	}
	nameless := &Index{Entries: []Entry{{Digest: sum("a")}}}
	if got, want := nameless.RootsDigest(nil), sum(string(sum("a"))+" \n"); got != want {
		t.Errorf("nameless: got %s, want %s", got, want)
	}
}
