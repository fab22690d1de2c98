package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
)

// ociScheme begins the URL of a chart in a registry.
const ociScheme = "oci://"

// chartName matches the name of a chart that can be part of a reference.
var chartName = regexp.MustCompile(`^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$`)

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

// CheckHelmRepository returns an error if a URL cannot be that of a Helm repository.
func CheckHelmRepository(s string) error {
	_, reason := parseRepo(s)
	return asError(reason)
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

// notInPath matches what the path of a URL may have and that of a repository may not.
var notInPath = regexp.MustCompile(`[^a-z0-9/]+`)

// repoReference returns the name that a chart of a Helm repository gets: that of its host, its
// path and the chart.
func repoReference(repo, chart string) (Reference, error) {
	u, reason := parseRepo(repo)
	if reason != "" {
		return Reference{}, errors.New(reason)
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
