package store

import (
	"fmt"

	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// NoBaseError reports a layout beside a pipe that is not a base of the delta in it.
type NoBaseError struct{ Path string }

func (e *NoBaseError) Error() string {
	return fmt.Sprintf("%s is not a base of what comes through standard input, and a pipe can only be read with its bases", e.Path)
}

// Borrow makes layouts lend a stream the blobs that it leaves to its base. One that is not a
// base of it, directly or through another, is a *NoBaseError; then the caller closes them.
// Else Close of the stream does.
func (s *Stream) Borrow(from []Member) error {
	indexes := []*oci.Index{s.Index()}
	for _, m := range from {
		indexes = append(indexes, m.Layout.Index())
	}
	lineage := delta.NewLineage(indexes)
	lenders := new(Union)
	for i, m := range from {
		if !lineage.Replaced[i+1] && !lineage.Descends(0, i+1) {
			return &NoBaseError{Path: m.Path}
		}
		lenders.inputs = append(lenders.inputs, member{Layout: m.Layout, path: m.Path, replaced: true})
	}
	for _, m := range from {
		ForgetIndex(m.Layout)
	}
	lenders.index = new(oci.Index)
	s.lenders, s.lineage = lenders, lineage
	lineage.Annotate(s.Index())
	return nil
}

// Lenders returns the bases of the stream as a layout without artifacts; nil if there are none.
func (s *Stream) Lenders() Layout {
	if s.lenders == nil {
		return nil
	}
	return s.lenders
}
