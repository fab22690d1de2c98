package engine_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/prune"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

func TestNamesKeepWhatIsUnknown(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("team/app", "v1", []byte("one"))
	down := testregistry.New(t, testregistry.Options{})
	down.Fault(testregistry.Always("GET catalog", testregistry.Status(404, "")))
	all := append(selections(t, r.Host+"/team/app", r.Host+"/team/gone", r.Host+"/team/one:v1"),
		config.Selection{Registry: down.Host, Origin: "catalog"})
	s, err := prune.Names(t.Context(), client(4), all, engine.BackupOptions{})
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
	if s, err = prune.Names(t.Context(), client(4), []config.Selection{{Layout: "nowhere"}}, engine.BackupOptions{}); err != nil || !s.Keeps("any.example/thing:v1") {
		t.Errorf("a layout that cannot be read: %v", err)
	}
}

// TestAListWithoutItsKeyPrunesNothing: an answer of 200 that is no list says nothing
// of what is selected.
func TestAListWithoutItsKeyPrunesNothing(t *testing.T) {
	for body, keeps := range map[string]bool{
		`{}`: true, `{"errors":[{"code":"UNKNOWN","message":"try later"}]}`: true, `{"tags":null,"repositories":null}`: false,
	} {
		r := testregistry.New(t, testregistry.Options{})
		r.Fault(func(req *http.Request, _ int) testregistry.Fault {
			return func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { io.WriteString(w, body) })
			}
		})
		for _, selection := range []config.Selection{
			{Reference: config.Reference{Registry: r.Host, Repository: "team/app"}, Optional: true},
			{Registry: r.Host, Origin: "catalog", Optional: true},
		} {
			s, err := prune.Names(t.Context(), client(4), []config.Selection{selection}, engine.BackupOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Keeps(r.Host + "/team/app:v1"); got != keeps || keeps != (len(s.Failures) == 1) {
				t.Errorf("%s: keeps %v, failed: %v", body, got, s.Failures)
			}
		}
	}
}
