package cli

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestBaseThatIsWrittenAgain writes each kind of base while its delta is written, with the same
// artifacts: the blobs may be others.
func TestBaseThatIsWrittenAgain(t *testing.T) {
	for name, one := range map[string]struct {
		base    string // the value of --base
		changed string // the file that is written again
		added   string // to it
		named   string // in the error
	}{
		"bundle":    {"base.tgz", "base.tgz", "", "base.tgz"},
		"directory": {"base", "base/index.json", " ", "base"},
		"part":      {"base.*.tgz", "base.001.tgz", "", "base.001.tgz"},
		"lock":      {"base.lock.yaml", "base.lock.yaml", "\n", "base.lock.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir() + "/"
			r := testregistry.New(t, testregistry.Options{})
			r.Image("app", "v1", testregistry.Random("base", 3000))
			writeBase(t, r, dir, name)
			r.Image("app", "v2", testregistry.Random("new", 3000))
			r.Fault(func(req *http.Request, _ int) testregistry.Fault {
				if testregistry.Kind(req) == "GET blob" {
					rewrite(t, dir+one.changed, one.added)
				}
				return nil
			})
			args := []string{"backup", "-o", dir + "delta.tgz", "--base", dir + one.base, r.Host + "/app"}
			code, _, errs := try(t, "", args...)
			if code != 1 || !strings.Contains(errs, one.named+": the base changed while it was read") {
				t.Errorf("exit code %d: %s", code, errs)
			}
			if _, err := os.Stat(dir + "delta.tgz"); err == nil {
				t.Error("the delta has its name")
			}
			r.Fault(nil)
			pull(t, args...)
		})
	}
}

// writeBase backs up a registry as a base of some kind.
func writeBase(t *testing.T, r *testregistry.Registry, dir, kind string) {
	t.Helper()
	switch kind {
	case "bundle":
		pull(t, "backup", "-o", dir+"base.tgz", r.Host+"/app")
	case "directory":
		pull(t, "backup", "-o", dir+"base/", r.Host+"/app")
	case "part":
		pull(t, "backup", "-o", dir+"base.tgz", "--part-size", "1MiB", r.Host+"/app")
	case "lock":
		if err := os.WriteFile(dir+"base.yaml", []byte("apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n- "+r.Host+"/app\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		pull(t, "lock", "-f", dir+"base.yaml")
	}
}

// rewrite replaces a file by another one with the same content, and a little more.
func rewrite(t *testing.T, path, added string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path+".new", append(data, added...), 0o600)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		t.Error(err)
	}
}
