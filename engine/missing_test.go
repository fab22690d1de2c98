package engine_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestIncompleteBackupListsWhatIsMissing: artifacts, and referrers of one that is there.
func TestIncompleteBackupListsWhatIsMissing(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	image := source.Image("app", "v1", []byte("one"))
	signature := source.Referrer("app", image, "application/vnd.example.signature", []byte("signature"))
	source.Image("app", "v2", []byte("two"))
	for _, out := range outputs {
		path := t.TempDir() + "/" + out
		source.Fault(func(req *http.Request, _ int) testregistry.Fault {
			if filepath.Base(req.URL.Path) == signature.Digest.String() {
				return testregistry.Status(http.StatusForbidden, "")
			}
			return nil
		})
		tags := source.Host + "/app:"
		if _, err := tryBackup(t, path, selections(t, tags+"v1", tags+"v2", tags+"v9"), engine.BackupOptions{}); err != nil {
			t.Fatal(err)
		}
		if got := engine.Missing(reopen(t, path).Index()); !slices.Equal(got, []string{tags + "v1", tags + "v9"}) {
			t.Errorf("%s: %v", out, got)
		}
		if out != "layout/" {
			continue
		}
		backUp(t, path, selections(t, tags+"v2")) // which asks for nothing else
		if got := engine.Missing(reopen(t, path).Index()); !slices.Equal(got, []string{"referrers of " + tags + "v1"}) {
			t.Errorf("%s, after another backup: %v", out, got)
		}
		source.Fault(nil)
		backUp(t, path, selections(t, tags+"v1"))
		if got := engine.Missing(reopen(t, path).Index()); len(got) > 0 {
			t.Errorf("%s, after all: %v", out, got)
		}
	}
}
