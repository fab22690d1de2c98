package plan

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/engine/registry"
)

// sources opens the origins of a run, each once.
type sources struct {
	client     *registry.Client
	helm       *helmSource
	layout     engine.OpenLayout
	jobs       int
	notice     func(string)
	namesOnly  bool            // nothing is resolved
	listed     map[string]bool // repositories that a catalog promises; complete before they are opened
	quarantine *quarantine     // nil: no tag is too new

	mu         sync.Mutex // guards what follows
	remotes    map[string]*origin.Remote
	layouts    map[string]*origin.Local
	unexpanded map[string]error // of the catalogs and charts that failed, by unexpandedKey
	newest     []engine.Newest
}

func newSources(c *registry.Client, selections []config.Selection, o engine.BackupOptions) *sources {
	return &sources{client: c, helm: newHelm(c, selections), quarantine: newQuarantine(o.Quarantine), jobs: o.Concurrency, notice: o.Progress.Notice, remotes: make(map[string]*origin.Remote), layouts: make(map[string]*origin.Local), unexpanded: make(map[string]error), listed: make(map[string]bool),
		layout: o.OpenLayout.OrDefault()}
}

// close closes the layouts that were opened.
func (s *sources) close() error {
	var errs []error
	for _, l := range s.layouts {
		errs = append(errs, l.Close())
	}
	return cmp.Or(errs...)
}

// expansion holds the artifacts of one selection.
type expansion struct {
	origin origin.Origin
	refs   []config.Reference
	faulty []origin.Root // of a layout: those that fail
	err    error         // refs is then the one reference that cannot be expanded
	absent string        // the repository, if it is optional and does not exist
	judged bool          // the digests of refs are those that the quarantine admits
}

// expandAll expands the selections side by side and delivers them in order.
func (s *sources) expandAll(ctx context.Context, selections []config.Selection) <-chan expansion {
	slots := make(chan chan expansion, s.jobs)
	out := make(chan expansion)
	go func() {
		defer close(slots)
		for _, selection := range selections {
			slot := make(chan expansion, 1)
			select {
			case slots <- slot:
			case <-ctx.Done():
				return
			}
			go func() { slot <- s.expand(ctx, selection) }()
		}
	}()
	go func() {
		defer close(out)
		for slot := range slots {
			select {
			case out <- <-slot:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func (s *sources) expand(ctx context.Context, selection config.Selection) expansion {
	e, err := s.open(ctx, selection)
	if err != nil {
		ref := selection.Reference
		if selection.Registry != "" {
			ref.Registry = selection.Registry
		}
		return expansion{refs: []config.Reference{ref}, err: err}
	}
	return e
}

func (s *sources) open(ctx context.Context, selection config.Selection) (expansion, error) {
	if selection.Registry != "" || isOpenChart(selection) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return expansion{}, s.unexpanded[unexpandedKey(selection)]
	}
	if selection.Layout != "" {
		return s.openLayout(selection)
	}
	ref := selection.Reference
	if selection.Chart != nil && selection.Chart.Repository != "" {
		return expansion{origin: s.helm.open(selection), refs: []config.Reference{ref}}, nil
	}
	r, err := s.remote(ref)
	if err != nil {
		return expansion{}, err
	}
	if !ref.IsRepository() {
		return expansion{origin: r, refs: []config.Reference{ref}}, nil
	}
	tags, all, err := s.tags(ctx, r, selection)
	if selection.Optional && !s.listed[ref.Name()] &&
		(origin.IsUnknown(err) || err == nil && !s.namesOnly && !selection.Tags.NeedsList() && r.IsAbsent(ctx, tags)) {
		return expansion{origin: r, absent: ref.Name()}, nil
	}
	if err != nil {
		return expansion{}, err
	}
	if s.quarantine != nil && selection.Tags.MinAge > 0 {
		refs, err := s.quarantine.admit(ctx, r, selection, all, tags)
		return expansion{origin: r, refs: refs, judged: true}, err
	}
	e := expansion{origin: r, refs: make([]config.Reference, len(tags))}
	for i, tag := range tags {
		e.refs[i] = config.Reference{Registry: ref.Registry, Repository: ref.Repository, Tag: tag}
	}
	return e, nil
}

func (s *sources) remote(ref config.Reference) (*origin.Remote, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := ref.Name()
	if r := s.remotes[name]; r != nil {
		return r, nil
	}
	repo, err := s.client.Endpoints(ref.Registry, ref.Repository, s.notice)
	if err != nil {
		return nil, err
	}
	r := origin.NewRemote(repo, ref)
	s.remotes[name] = r
	return r, nil
}

// tags selects tags of a repository, and returns all that it lists. It lists them only if names
// alone do not decide.
func (s *sources) tags(ctx context.Context, r *origin.Remote, selection config.Selection) (selected, all []string, err error) {
	if selection.Tags.NeedsList() {
		if all, err = r.AllTags(ctx); err != nil {
			return nil, nil, err
		}
	}
	if selected, err = selection.Tags.Select(all); err != nil {
		return nil, nil, artifactError(selection.Reference, "select", err)
	}
	s.chose(selection, all)
	if len(selected) == 0 && !selection.Optional {
		return nil, nil, &engine.SelectionError{Reference: selection.Reference.String(), Of: len(all), Noun: "tags", Names: all}
	}
	return selected, all, nil
}

// chose records the order by which the newest tags of a repository were found.
func (s *sources) chose(selection config.Selection, all []string) {
	order := selection.Tags.Order(all)
	if order == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest = append(s.newest, engine.Newest{Repository: selection.Reference.Name(), Count: selection.Tags.Latest, Order: order})
}

// newestTags returns the records of chose, by repository.
func (s *sources) newestTags() []engine.Newest {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.newest, func(a, b engine.Newest) int {
		return cmp.Or(strings.Compare(a.Repository, b.Repository), a.Count-b.Count, strings.Compare(a.Order, b.Order))
	})
	return slices.Clone(s.newest)
}

// openLayouts opens the layouts that selections name, but for those that cannot be
// opened, which fail when their turn comes.
func (s *sources) openLayouts(selections []config.Selection) []*origin.Local {
	var all []*origin.Local
	for _, selection := range selections {
		if selection.Layout == "" {
			continue
		}
		e, err := s.openLayout(selection)
		if l, ok := e.origin.(*origin.Local); ok && err == nil && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// openLayout makes an origin of a layout on disk. Its artifacts keep their full names; bare
// tags and entries without a name belong to the selection's repository.
func (s *sources) openLayout(selection config.Selection) (expansion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := selection.Layout + "\x00" + selection.Reference.Name()
	l := s.layouts[key]
	if l == nil {
		opened, err := s.layout(selection.Layout)
		if err != nil {
			return expansion{}, err
		}
		l = origin.NewLocalSource(opened, selection.Layout, selection.Reference)
		s.layouts[key] = l
	}
	e := expansion{origin: l}
	e.refs, e.faulty = l.Artifacts()
	return e, nil
}
