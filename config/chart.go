package config

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/strictyaml"
)

// Chart is the part of a selection that is about a Helm chart. With a tag in its Reference the selection
// is that version and nothing else; without one the planner finds the version, and adds the
// images.
type Chart struct {
	Repository string   // URL of a Helm repository, without a slash at the end; "": the chart is in a registry
	Name       string   // in the Helm repository
	Version    string   // a constraint; "" means the newest
	Images     bool     // adds the images that the chart names
	Values     []string // paths of files to render the chart with, in addition to its own; nil: it is not rendered
}

// ociScheme begins the URL of a chart in a registry.
const ociScheme = "oci://"

// chartName matches the name of a chart that can be part of a reference.
var chartName = regexp.MustCompile(`^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$`)

func (s *Source) checkChart(o strictyaml.Object) {
	o.Exclusive("chart", "repository", "registry", "list", "layout", "kubernetes", "tags")
	for _, key := range []string{"repo", "version", "images", "values"} {
		if o.Has(key) && !o.Has("chart") {
			o.Fault(key, key+" requires chart")
		}
	}
	if o.Valid("repo") {
		if _, reason := parseRepo(s.Repo); reason != "" {
			o.Fault("repo", reason)
		}
	}
	if o.Valid("chart") {
		o.Error("chart", chartFault(s.Chart, o.Has("repo")))
	}
	if _, err := semver.NewConstraint(s.Version); o.Valid("version") && s.Version != "" && err != nil {
		o.Fault("version", fmt.Sprintf("invalid version constraint %q", s.Version))
	}
	s.checkValues(o)
}

// checkValues reports faults of the values that a chart is rendered with.
func (s *Source) checkValues(o strictyaml.Object) {
	o.NotEmpty("values")
	if len(s.Values) > 0 && s.Images != nil && !*s.Images {
		o.Fault("values", "values and images: false cannot be used together")
	}
	for i, file := range s.Values {
		checkVariables(o, strictyaml.Element("values", i), file)
	}
}

// chartFault returns why a chart cannot be found by its name, or nil.
func chartFault(chart string, inRepo bool) error {
	location, inRegistry := strings.CutPrefix(chart, ociScheme)
	switch {
	case inRepo && inRegistry:
		return fmt.Errorf("%s and repo cannot be used together", ociScheme)
	case inRepo && !chartName.MatchString(chart):
		return fmt.Errorf("%q is not the name of a chart", chart)
	case inRepo:
		return nil
	case !inRegistry:
		return fmt.Errorf("%q: write %sREGISTRY/REPOSITORY, or a name and the URL of its Helm repository as repo", chart, ociScheme)
	}
	r, err := ParseReference(location)
	if err == nil && !r.IsRepository() {
		err = fmt.Errorf("%q names one version: set it as version", chart)
	}
	return err
}

// parseRepo parses the URL of a Helm repository, or returns why it is invalid.
func parseRepo(s string) (u *url.URL, reason string) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, fmt.Sprintf("invalid URL %q", s)
	case u.User != nil:
		return nil, "a spec has no credentials: log in to the host with oras login"
	case strings.HasPrefix(s, ociScheme):
		return nil, "a chart in a registry has no repo: write chart: " + strings.TrimSuffix(s, "/") + "/NAME"
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return nil, fmt.Sprintf("%q: write https://HOST or https://HOST/PATH", s)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Sprintf("%q: a query and a fragment are not allowed", s)
	}
	if reason := grammar.RegistryFault(u.Host); reason != "" {
		return nil, fmt.Sprintf("%q: %s", s, reason)
	}
	return u, ""
}

// chart selects the chart of a source.
func (s *Spec) chart(at string, source Source, base Selection) ([]Selection, []Fault) {
	c := &Chart{Repository: strings.TrimRight(source.Repo, "/"), Name: source.Chart, Version: source.Version, Images: source.Images == nil || *source.Images}
	base.Chart = c
	var err error
	if c.Repository == "" {
		c.Name = path.Base(source.Chart)
		base.Reference, err = ParseReference(strings.TrimPrefix(source.Chart, ociScheme))
	} else {
		base.Reference, err = repoReference(c.Repository, source.Chart)
	}
	if err != nil {
		return nil, []Fault{s.fault(at+".chart", err)}
	}
	var faults []Fault
	for i, value := range source.Values {
		file, err := s.path(value, time.Now())
		if err == nil {
			_, err = os.Stat(file)
		}
		if err != nil {
			faults = append(faults, s.fault(at+"."+strictyaml.Element("values", i), err))
		}
		c.Values = append(c.Values, file)
	}
	return []Selection{base}, faults
}

// notInPath matches what the path of a URL may have and that of a repository may not.
var notInPath = regexp.MustCompile(`[^a-z0-9/]+`)

// repoReference returns the name that a chart of a Helm repository gets: that of its host, its
// path and the chart.
func repoReference(repo, chart string) (Reference, error) {
	u, reason := parseRepo(repo)
	if reason != "" {
		return Reference{}, fmt.Errorf("%s", reason)
	}
	host := u.Host
	if !looksLikeRegistry(host) { // a name without a dot is no registry
		host += map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	}
	name := host
	for part := range strings.SplitSeq(notInPath.ReplaceAllString(strings.ToLower(u.Path), "-"), "/") {
		if part = strings.Trim(part, "-"); part != "" {
			name += "/" + part
		}
	}
	return ParseReference(name + "/" + chart)
}
