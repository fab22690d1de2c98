package plan

import (
	"context"
	"slices"
	"strings"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
)

// Repositories replaces each selection that names a registry by the repositories of its
// catalog, and each chart by its version and its images. If that fails, the selection stays and
// fails when its turn comes.
func (s *sources) Repositories(ctx context.Context, selections []config.Selection) []config.Selection {
	var all []config.Selection
	for _, selection := range selections {
		if selection.Registry == "" {
			all = append(all, selection)
			continue
		}
		found, err := s.catalog(ctx, selection)
		if err != nil {
			s.failed(selection, err)
			found = []config.Selection{selection}
		}
		all = append(all, found...)
	}
	return s.charts(ctx, all)
}

// catalog returns a selection for each repository that passes the filter, sorted: registries
// list them in any order.
func (s *sources) catalog(ctx context.Context, selection config.Selection) ([]config.Selection, error) {
	var found []config.Selection
	total := 0
	err := s.client.Catalog(ctx, selection.Registry, func(page []string) error {
		for _, path := range page {
			total++
			if !selection.Repositories.Match(path) {
				continue
			}
			one := selection
			one.Registry, one.Optional = "", true // an empty repository is no fault of the spec
			one.Reference = config.Reference{Registry: selection.Registry, Repository: path}
			if !selection.Optional {
				s.listed[one.Reference.Name()] = true
			}
			found = append(found, one)
		}
		return nil
	})
	if err == nil && len(found) == 0 && !selection.Optional {
		err = &engine.SelectionError{Reference: selection.Registry, Of: total, Noun: "repositories"}
	}
	slices.SortFunc(found, func(a, b config.Selection) int {
		return strings.Compare(a.Reference.Repository, b.Reference.Repository)
	})
	return found, err
}

// failed records the error of a catalog or a chart.
func (s *sources) failed(selection config.Selection, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unexpanded[unexpandedKey(selection)] = err
}

// unexpandedKey tells the selections of registries and charts apart.
func unexpandedKey(selection config.Selection) string {
	return selection.Registry + " " + selection.Reference.Name() + " " + selection.Origin
}
