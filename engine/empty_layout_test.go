package engine_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

func TestRestoreOfALayoutWithoutArtifactsFails(t *testing.T) {
	newHandmade(t).restoreTo("app", func(kind string, target *testregistry.Registry, report *engine.Report, err error) {
		if !errors.Is(err, engine.ErrNoArtifact) || len(report.Artifacts) > 0 {
			t.Errorf("%s: %v", kind, err)
		}
		if n := target.Count("PUT manifest"); n > 0 {
			t.Errorf("%s: %d manifests were pushed", kind, n)
		}
	})
}

func TestBackupIntoAnEmptyLayout(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	source.Image("app", "v1", []byte("one"))
	path := newHandmade(t).write()
	backUp(t, path, selections(t, source.Host+"/app"))
	if got := entries(t, filepath.Clean(path)); len(got) != 1 {
		t.Errorf("the layout has %v", got)
	}
}
