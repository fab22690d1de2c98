package serve

import (
	"errors"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/serve/content"
)

// TestTagThatIsMappedToAnInvalidOne is an error before anything is served, as in a restore.
func TestTagThatIsMappedToAnInvalidOne(t *testing.T) {
	w := newWorld(t)
	w.backup("bundle.tgz", "quay.io", hub("coreos/etcd", "v-next", "etcd"))
	mapper, err := config.NewMapper([]config.Mapping{{Source: "quay.io", Target: "quay", Tags: []config.TagMapping{{Source: "v*", Target: "*"}}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = content.Open(t.Context(), content.Options{Inputs: places(t, w.path("bundle.tgz")), Mapper: mapper})
	if _, ok := errors.AsType[*config.MappingError](err); !ok {
		t.Errorf("got %v", err)
	}
}
