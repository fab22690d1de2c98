package engine_test

import (
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

func TestNamesKeepWhatIsUnknown(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("team/app", "v1", []byte("one"))
	down := testregistry.New(t, testregistry.Options{})
	down.Fault(testregistry.Always("GET catalog", testregistry.Status(404, "")))
	all := append(selections(t, r.Host+"/team/app", r.Host+"/team/gone", r.Host+"/team/one:v1"),
		config.Selection{Registry: down.Host, Origin: "catalog"})
	s, err := engine.Names(t.Context(), client(4), all)
	if err != nil {
		t.Fatal(err)
	}
	if s.Listed != 2 || len(s.Failures) != 2 {
		t.Errorf("%d listed, failed: %v", s.Listed, s.Failures)
	}
	for name, want := range map[string]bool{
		r.Host + "/team/app:v1": true, r.Host + "/team/app:v2": false,
		r.Host + "/team/gone:any": true, r.Host + "/team/one:v1": true, r.Host + "/team/one:v2": false,
		down.Host + "/any/thing:v1": true, "v1": true, "elsewhere.example/app:v1": false,
	} {
		if got := s.Keeps(name); got != want {
			t.Errorf("keeps %s: %v", name, got)
		}
	}
	if r.Count("GET manifest")+r.Count("HEAD manifest") != 0 {
		t.Errorf("names were resolved: %v", r.Counts())
	}
	if s, err = engine.Names(t.Context(), client(4), []config.Selection{{Layout: "nowhere"}}); err != nil || !s.Keeps("any.example/thing:v1") {
		t.Errorf("a layout that cannot be read: %v", err)
	}
}

// TestReadBackSeesALostBlob: what a registry drops after it took it.
func TestReadBackSeesALostBlob(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	source.Image("app", "v1", []byte("layer"))
	source.Image("app", "v2", []byte("another"))
	path := t.TempDir() + "/layout/"
	backup(t, path, selections(t, source.Host+"/app"))
	restore(t, path, target.Host)
	target.Remove("app", source.Blob("app", "application/octet-stream", []byte("layer")))
	in, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for _, verify := range []bool{false, true} {
		report, err := tryRestore(t, in, target.Host, engine.RestoreOptions{Verify: verify})
		if err != nil {
			t.Fatal(err)
		}
		failures := report.Failures()
		if !verify && len(failures) == 0 {
			continue // the tag says that all is there, and nobody looked
		}
		if len(failures) != 1 || failures[0].Operation() != "verify" {
			t.Errorf("verify %v: failed: %v", verify, failures)
		}
	}
}
