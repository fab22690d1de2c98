package advice

import "github.com/oras-mirror/oras-mirror/internal/discover"

// manifestHint advises on a manifest that has to be rendered first.
func manifestHint(err error) string {
	switch {
	case is[*discover.TemplateError](err):
		return `render it first: "helm template CHART >FILE", or "helm template CHART | oras-mirror images -"`
	case is[*discover.VariableError](err):
		return "replace the variables first, for example with envsubst"
	case is[*discover.BuildError](err):
		return `build it first: "ko resolve -f FILE" prints the manifest with the image`
	}
	return ""
}
