package store

import (
	"cmp"
	"fmt"

	"github.com/opencontainers/go-digest"
)

// OrphanError reports a delta whose base is not among the inputs, although others are.
type OrphanError struct {
	Delta string // its path
	Base  string // the name of its base; may be ""
}

func (e *OrphanError) Error() string {
	return fmt.Sprintf("%s needs %s, which is not among the inputs", e.Delta, cmp.Or(e.Base, "its base"))
}

// ClashError reports a name that two inputs give different artifacts.
type ClashError struct {
	Name    string
	Digests [2]digest.Digest
	Inputs  [2]string      // their paths
	Gaps    []*OrphanError // deltas without their bases: one may tell which artifact is the later one
}

func (e *ClashError) Error() string {
	text := fmt.Sprintf("%s is %s in %s and %s in %s", e.Name, e.Digests[0], e.Inputs[0], e.Digests[1], e.Inputs[1])
	for _, gap := range e.Gaps {
		text += "; " + gap.Error()
	}
	return text
}
