// Package prune removes from a layout the artifacts that selections no longer select. It
// keeps everything that it cannot check.
package prune

import (
	"context"
	"errors"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/graph"
	"github.com/oras-mirror/oras-mirror/engine/plan"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// Selected holds the names that selections select at present.
type Selected struct {
	Failures []engine.ArtifactReport // sources that could not be listed
	Listed   int                     // artifacts of the others

	names    map[string]bool
	unlisted map[string]bool // repositories and registries that could not be listed
	blind    bool            // some source failed whose repositories are unknown
}

// Names lists the names of the selected artifacts, as the entries of a layout have them. It
// requests only lists from registries, and resolves nothing. The error is for the call as a
// whole.
func Names(ctx context.Context, c *registry.Client, selections []config.Selection, o engine.BackupOptions) (*Selected, error) {
	p := plan.New(c, selections, o.WithDefaults(), graph.Options{})
	err := p.ExpandNames(ctx)
	if err = errors.Join(err, p.Close()); err != nil {
		return nil, err
	}
	s := &Selected{names: make(map[string]bool), unlisted: make(map[string]bool)}
	for _, a := range p.All {
		s.add(a)
	}
	for _, name := range p.Absent {
		s.unlisted[name] = true // it may come back, and the user did not ask to remove its artifacts
	}
	return s, nil
}

func (s *Selected) add(a *plan.Artifact) {
	if a.Err != nil {
		s.Failures = append(s.Failures, a.Report())
	} else {
		s.Listed++
	}
	switch {
	case !a.Ref.IsRepository():
		s.names[a.Name] = true
	case a.Layout != "" && a.Ref.Registry == "" && a.Name != "": // no entry of an output has such a name
	case a.Layout != "" || a.Name == "":
		s.blind = true
	default:
		s.unlisted[a.Name] = true
	}
}

// Keeps reports whether a name is selected, or may be: a repository could not be listed, or
// the name is not a full reference and so never came from a selection.
func (s *Selected) Keeps(name string) bool {
	ref, ok := config.ParseEntryName(name)
	if !ok || ref.Registry == "" {
		return true
	}
	return s.blind || s.names[name] || s.unlisted[ref.Name()] || s.unlisted[ref.Registry]
}

// Run removes from a layout the artifacts that are no longer selected, and the content that
// only they needed.
func Run(ctx context.Context, from Layout, s *Selected, o store.PruneOptions) (*store.Pruned, error) {
	o.Keep, o.Prepare = s.Keeps, s.forgetMissing
	return from.Prune(ctx, o)
}

// Layout is a layout that can remove content: a *store.Dir or a *store.Bucket.
type Layout interface {
	Prune(ctx context.Context, o store.PruneOptions) (*store.Pruned, error)
}

// forgetMissing removes the artifacts that are no longer selected from those that an index
// says it lacks.
func (s *Selected) forgetMissing(index *oci.Index) {
	text := index.Annotations[engine.AnnotationMissing]
	if text == "" || strings.Contains(text, ",and ") { // that cut it short
		return
	}
	var left []string
	for name := range strings.SplitSeq(text, ",") {
		if s.Keeps(name) {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		delete(index.Annotations, engine.AnnotationMissing)
		return
	}
	index.Annotations[engine.AnnotationMissing] = strings.Join(left, ",")
}
