package plan

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
	"oras.land/oras-go/v2/errdef"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/internal/discover/chart"
)

// isOpenChart reports whether a selection names a chart whose version has to be found.
func isOpenChart(s config.Selection) bool { return s.Chart != nil && s.Reference.IsRepository() }

// charts replaces each selection of a chart by that of its version and those of the images that
// it names, side by side. If that fails, the selection stays and fails when its turn comes.
func (s *sources) charts(ctx context.Context, selections []config.Selection) []config.Selection {
	all := make([][]config.Selection, len(selections))
	var group errgroup.Group
	group.SetLimit(s.jobs)
	for i, selection := range selections {
		if !isOpenChart(selection) {
			all[i] = selections[i : i+1]
			continue
		}
		group.Go(func() error {
			found, err := s.chart(ctx, selection)
			switch {
			case err == nil:
				all[i] = found
			case selection.Optional && errors.Is(err, errdef.ErrNotFound):
				s.notice(selection.Reference.Name() + ": chart not found; skipped (optional)")
			default:
				s.failed(selection, err)
				all[i] = selections[i : i+1]
			}
			return nil
		})
	}
	_ = group.Wait() // every error has its selection
	return slices.Concat(all...)
}

// chart returns the selections of a chart and its images.
func (s *sources) chart(ctx context.Context, selection config.Selection) ([]config.Selection, error) {
	if selection.Chart.Repository != "" {
		return s.helmChart(ctx, selection)
	}
	r, err := s.remote(selection.Reference)
	if err != nil {
		return nil, err
	}
	one := selection
	one.Chart = nil
	if one.Reference.Tag, err = chartTag(ctx, r, selection); err != nil {
		return nil, err
	}
	if !selection.Chart.Images {
		return []config.Selection{one}, nil
	}
	found, layer, err := readChart(ctx, r, one.Reference)
	if err != nil {
		return nil, err
	}
	one.Chart = selection.Chart
	all, err := s.withImages(ctx, one, found, func(ctx context.Context) (io.ReadCloser, error) { return openVerified(ctx, r, layer) })
	if err == nil {
		all[0].Chart = nil // the tag is an artifact of the registry
	}
	return all, err
}

// helmChart does the same with a chart in a Helm repository.
func (s *sources) helmChart(ctx context.Context, selection config.Selection) ([]config.Selection, error) {
	entry, err := s.helm.find(ctx, selection)
	if err != nil {
		return nil, err
	}
	one := selection
	one.Reference.Tag = chart.TagOf(entry.Version)
	if !selection.Chart.Images {
		return []config.Selection{one}, nil
	}
	c := s.helm.chart(one.Reference, one.Chart)
	if _, err := c.origin.Load(ctx); err != nil {
		return nil, artifactError(one.Reference, "fetch", err)
	}
	if c.images != nil {
		return nil, artifactError(one.Reference, "find images", c.images)
	}
	return s.withImages(ctx, one, c.found, c.open)
}

// withImages returns the selection of a chart and those of its images.
func (s *sources) withImages(ctx context.Context, one config.Selection, found *chart.Chart, archive openArchive) ([]config.Selection, error) {
	images, err := s.imagesOf(one, found)
	if err == nil && one.Chart.Values != nil {
		var rendered []config.Selection
		rendered, err = s.render(ctx, one, nameOf(found), archive)
		images = append(images, rendered...)
	}
	if err == nil && len(images) == 0 {
		s.notice(nameOf(found) + " names no images; set values to find those that it renders to, or images: false")
	}
	if err != nil {
		return nil, artifactError(one.Reference, "find images", err)
	}
	return append([]config.Selection{one}, images...), nil
}

// chartTag returns the tag of the version that is selected. It lists the tags only for a
// constraint.
func chartTag(ctx context.Context, r *origin.Remote, selection config.Selection) (string, error) {
	wanted := selection.Chart.Version
	if chart.IsExact(wanted) {
		return chart.TagOf(wanted), nil
	}
	tags, err := r.AllTags(ctx)
	if err != nil {
		return "", err
	}
	var versions []string
	for _, tag := range tags {
		if v := chart.VersionOf(tag); chart.IsExact(v) {
			versions = append(versions, v)
		}
	}
	version := chart.Newest(wanted, versions)
	if version == "" {
		return "", &engine.VersionError{Chart: selection.Reference.Name(), Constraint: wanted, Versions: versions}
	}
	return chart.TagOf(version), nil
}

// readChart reads a chart in a registry.
func readChart(ctx context.Context, r *origin.Remote, ref config.Reference) (*chart.Chart, ocispec.Descriptor, error) {
	desc, err := r.Resolve(ctx, ref)
	if err != nil {
		return nil, desc, err
	}
	data, err := r.Manifest(ctx, desc)
	if err != nil {
		return nil, desc, err
	}
	layer, err := chartLayer(data)
	if err != nil {
		return nil, layer, artifactError(ref, "find images", err)
	}
	body, err := r.Blob(ctx, layer, 0, layer.Size)
	if err != nil {
		return nil, layer, err
	}
	defer body.Close()
	hash := layer.Digest.Verifier()
	in := io.TeeReader(body, hash)
	found, err := chart.Read(in)
	if _, rest := io.Copy(io.Discard, in); rest != nil {
		return nil, layer, rest // of the registry
	}
	if !hash.Verified() {
		err = mismatched(layer.Digest)
	}
	if err != nil {
		return nil, layer, artifactError(ref, "find images", err)
	}
	return found, layer, nil
}

// chartLayer returns the layer of a chart that is its archive.
func chartLayer(data []byte) (ocispec.Descriptor, error) {
	var m ocispec.Manifest
	if err := json.Unmarshal(data, &m); err != nil || m.Config.MediaType != chart.ConfigType {
		return ocispec.Descriptor{}, errNoChart
	}
	for _, l := range m.Layers {
		if l.MediaType != chart.LayerType || l.Digest.Validate() != nil || l.Size < 0 {
			continue
		}
		if l.Size > maxArchive {
			return l, &chart.FormatError{Err: fmt.Errorf("its .tgz is larger than %d MiB", maxArchive>>20)}
		}
		return l, nil
	}
	return ocispec.Descriptor{}, errNoChart
}

// errNoChart reports an artifact that helm did not push.
var errNoChart = errors.New("not a Helm chart: its config is not of type " + chart.ConfigType)

// imagesOf returns a selection for each image that a chart names.
func (s *sources) imagesOf(selection config.Selection, of *chart.Chart) ([]config.Selection, error) {
	name := nameOf(of)
	var all []config.Selection
	for _, image := range of.Images {
		ref, err := config.ParseImage(image.Name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", image.From, err)
		}
		one := selection
		one.Chart, one.Optional, one.Reference = nil, false, ref
		one.From = name + ", " + image.From
		all = append(all, one)
	}
	return all, nil
}

// chartPrefix begins the names of charts in plans and locks.
const chartPrefix = "chart "

// nameOf returns the name of a chart in plans and locks.
func nameOf(c *chart.Chart) string { return chartPrefix + c.Metadata.Name + " " + c.Metadata.Version }

// IsFromChart reports whether an image with this From is of the chart that a selection names. A
// chart in a registry has the name of its repository, where helm push puts it.
func IsFromChart(from string, s config.Selection) bool {
	name, found := strings.CutPrefix(from, chartPrefix)
	if !found || s.Chart == nil {
		return false
	}
	name, _, _ = strings.Cut(name, " ")
	return name == cmp.Or(s.Chart.Name, path.Base(s.Reference.Repository))
}
