package advice

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/discover/chart"
	"github.com/oras-mirror/oras-mirror/internal/helm"
)

// chartHint advises on charts and the Helm repositories that have them.
func chartHint(err error) string {
	var version *engine.VersionError
	switch {
	case errors.As(err, &version) && len(version.Versions) > 0:
		return versionHint(version)
	case errors.Is(err, helm.ErrAbsent):
		return "install helm (https://helm.sh/docs/intro/install), or remove values from the chart in the spec"
	case is[*helm.RenderError](err):
		return "check the values of the chart in the spec: helm template must succeed with them"
	case is[*engine.RemadeError](err):
		return "the Helm repository has replaced the version: review it, and lock again"
	case is[*chart.IndexError](err):
		return "check repo in the spec: index.yaml is directly below it"
	case is[*chart.ImagesError](err):
		return `set "images: false" for the chart in the spec to copy it alone`
	case is[*chart.FormatError](err):
		return "helm would not install the chart: ask those who publish it, or choose another version"
	}
	return ""
}

// versionHint shows the versions that are most like a constraint.
func versionHint(e *engine.VersionError) string {
	if e.Constraint == "" {
		return fmt.Sprintf(`set "version: '>0-0'" to allow pre-releases; the versions are %s`, strings.Join(lastOf(e.Versions), ", "))
	}
	nearest := Nearest(strings.TrimLeft(e.Constraint, "^~=<>! v"), e.Versions, fewNames)
	return "the nearest versions are " + strings.Join(nearest, ", ") + preReleases(e)
}

// preReleases says what helm does with them where there are some.
func preReleases(e *engine.VersionError) string {
	for _, v := range e.Versions {
		if strings.Contains(v, "-") && !strings.Contains(e.Constraint, "-") {
			return "; a constraint takes a pre-release only if it names one, as in >=1.2.0-0"
		}
	}
	return ""
}

// lastOf returns a few of the names.
func lastOf(names []string) []string { return names[max(0, len(names)-fewNames):] }
