package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/oras-mirror/oras-mirror/config/internal/grammar"
	"github.com/oras-mirror/oras-mirror/internal/dockerhub"
)

// depth is the number of components that a registry allows in the path of a repository.
type depth struct {
	least, most int    // most 0 means any number
	form        string // in the words of the registry's documentation
}

// depths are the documented limits of registries; others allow paths of any depth:
// docs.docker.com/docker-hub/repos, docs.github.com/packages (container registry),
// docs.quay.io, docs.gitlab.com/user/packages/container_registry,
// docs.aws.amazon.com/AmazonECR/latest/public, cloud.google.com/artifact-registry/docs
// (image names; the last two for all hosts of these domains).
var depths = map[string]depth{
	"docker.io":           {2, 2, "NAMESPACE/NAME"},
	"ghcr.io":             {2, 0, "OWNER/NAME"},
	"quay.io":             {2, 0, "NAMESPACE/NAME"},
	"registry.gitlab.com": {2, 0, "NAMESPACE/PROJECT"},
	"public.ecr.aws":      {2, 0, "ALIAS/NAME"},
	"gcr.io":              {2, 0, "PROJECT/NAME"},
	"pkg.dev":             {3, 0, "PROJECT/REPOSITORY/NAME"},
}

// CheckRepository returns an error if the registry of the target does not allow path as the
// name of a repository. The path includes the namespace of the target.
func (t Target) CheckRepository(path string) error {
	if reason := grammar.RepositoryFault(path); reason != "" {
		return errors.New(reason)
	}
	d, known := depthOf(t.Registry)
	n := 1 + strings.Count(path, "/")
	if !known || n >= d.least && (d.most == 0 || n <= d.most) {
		return nil
	}
	more := ""
	if d.most == 0 {
		more = " or deeper"
	}
	return fmt.Errorf("a repository of %s must be %s%s", t.Registry, d.form, more)
}

func depthOf(registry string) (depth, bool) {
	host, _, _ := grammar.CutPort(strings.ToLower(dockerhub.Registry(registry)))
	if d, ok := depths[host]; ok {
		return d, true
	}
	for _, domain := range []string{"gcr.io", "pkg.dev"} {
		if strings.HasSuffix(host, "."+domain) {
			return depths[domain], true
		}
	}
	return depth{}, false
}
