package oci

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
)

// letters is a graph: the letters below each letter. A capital is an index, any other a
// leaf.
type letters map[string]string

func (g letters) node(letter string, role Role) Node {
	return Node{Descriptor: ocispec.Descriptor{Digest: digest.FromString(letter), Annotations: map[string]string{"": letter}}, Role: role}
}

// walk walks from each of the letters in turn, with one Walker, and returns what it met.
func (g letters) walk(from ...string) (met string, err error) {
	w := Walker{Visit: func(n Node) (below []Node, err error) {
		letter := n.Annotations[""]
		met += letter
		for _, b := range strings.Split(g[letter], "") {
			role := Child
			if strings.ToLower(b) == b {
				role = Leaf
			}
			child := g.node(b, role)
			child.Depth = n.Depth + 1
			below = append(below, child)
		}
		return below, nil
	}}
	for _, letter := range from {
		if err := w.Walk(g.node(letter, Root)); err != nil {
			return met, err
		}
	}
	return met, nil
}

func TestWalkMeetsEachOnce(t *testing.T) {
	for _, tt := range []struct {
		graph letters
		from  []string
		want  string
	}{
		{letters{}, []string{"A"}, "A"},
		{letters{"A": "bBC", "B": "cd", "C": "de"}, []string{"A"}, "AbBcdCe"},
		{letters{"A": "B", "B": "AC", "C": "Cx"}, []string{"A"}, "ABCx"},
		{letters{"A": "Cx", "B": "Cy", "C": "z"}, []string{"A", "B", "C"}, "ACzxBy"},
	} {
		if got, err := tt.graph.walk(tt.from...); err != nil || got != tt.want {
			t.Errorf("%v: %q, %v, want %q", tt.graph, got, err, tt.want)
		}
	}
}

func TestWalkEndsWithAnError(t *testing.T) {
	wrong, visits := errors.New("wrong"), 0
	w := Walker{Visit: func(n Node) ([]Node, error) {
		if visits++; n.Depth == 1 {
			return nil, wrong
		}
		return []Node{letters{}.node("B", Child), {Descriptor: letters{}.node("C", Child).Descriptor, Depth: 1}, letters{}.node("D", Leaf)}, nil
	}}
	if err := w.Walk(letters{}.node("A", Root)); err != wrong || visits != 3 {
		t.Errorf("%v after %d visits", err, visits)
	}
}

func TestWalkHasBounds(t *testing.T) {
	deep := Walker{Visit: func(n Node) ([]Node, error) {
		return []Node{{Descriptor: ocispec.Descriptor{Digest: digest.FromString(fmt.Sprint(n.Depth))}, Role: Child, Depth: n.Depth + 1}}, nil
	}}
	if err := deep.Walk(Node{}); !errors.Is(err, bounds.TooDeep) {
		t.Errorf("of a walk without an end: %v", err)
	}
	for n, want := range map[int]error{bounds.Manifests: nil, bounds.Manifests + 1: bounds.TooBroad} {
		broad := Walker{Visit: func(at Node) (below []Node, err error) {
			if at.Depth > 0 {
				return nil, nil
			}
			for i := range n {
				below = append(below, Node{ocispec.Descriptor{Digest: digest.FromString(fmt.Sprint(i))}, Child, 1})
			}
			return below, nil
		}}
		if err := broad.Walk(Node{}); want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%d children: %v, want %v", n, err, want)
		}
	}
}

// TestBelow: leaves come first, and by the role of a child its bytes decide.
func TestBelow(t *testing.T) {
	desc := func(s string) ocispec.Descriptor { return ocispec.Descriptor{Digest: digest.FromString(s)} }
	n := Node{Depth: 2}
	config := desc("config")
	below := n.Below(&Manifest{Config: &config, Layers: []ocispec.Descriptor{desc("layer")}, Manifests: []ocispec.Descriptor{desc("child")}})
	if len(below) != 3 || below[0].Digest != config.Digest || below[0].Role != Leaf || below[1].Role != Leaf || below[2].Role != Child || below[2].Depth != 3 {
		t.Errorf("got %+v", below)
	}
	if m, err := below[2].Parse([]byte("a layer")); err != nil || !m.IsContent() {
		t.Errorf("a blob that an index names: %+v, %v", m, err)
	}
	if _, err := n.Parse([]byte("a layer")); err != nil {
		t.Errorf("a manifest of no known kind: %v", err)
	}
}
