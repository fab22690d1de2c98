package advice

import (
	"errors"

	"github.com/oras-mirror/oras-mirror/internal/migrate"
)

// migrateHint is the hint for a file that cannot be converted into a spec.
func migrateHint(err error) string {
	if unknown, ok := errors.AsType[*migrate.UnknownError](err); ok {
		if unknown.IsSpec {
			return `check it with "oras-mirror validate"`
		}
		if unknown.IsManifest {
			return `mirror the images of manifests with a source "kubernetes: FILE", or list them with "oras-mirror images FILE"`
		}
		return "--from takes a file of hauler, oc-mirror (ImageSetConfiguration), regsync, skopeo sync or flux-mirror, or a list with one image a line"
	}
	if syntax, ok := errors.AsType[*migrate.SyntaxError](err); ok && syntax.Template {
		return "expand the templates first, or put them in quotes"
	}
	return ""
}
