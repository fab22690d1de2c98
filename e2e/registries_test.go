package e2e

import (
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// The stories rest on registries that are what they are said to be.
func TestRegistriesTakeWhatIsSeeded(t *testing.T) {
	var want testregistry.Contents
	for name, o := range map[string]registryOptions{
		"plain":          {},
		"TLS, password":  {TLS: true, Password: true},
		"token":          {Token: true},
		"folder, sparse": {Storage: t.TempDir(), Sparse: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := startRegistry(t, o)
			fillTeam(testregistry.NewSeeder(t, r.Access))
			got := snapshot(t, r.Access)
			if len(got) == 0 {
				t.Fatal("nothing is there")
			}
			if want == nil {
				want = got
			}
			for _, line := range testregistry.Diff(want, got) {
				t.Error(line)
			}
			if r.Username == "" {
				return
			}
			stranger := r.Access
			stranger.Password = "wrong"
			if _, err := testregistry.Snapshot(t.Context(), stranger); err == nil {
				t.Error("a wrong password is let in")
			}
		})
	}
}
