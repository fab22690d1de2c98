package engine_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestMisroutes: what cannot go where it should is said of all artifacts, and before
// a request.
func TestMisroutes(t *testing.T) {
	a, b := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	for _, r := range []*testregistry.Registry{a, b} {
		for _, repo := range []string{"team/app", "team/web", "same/x"} {
			layer := []byte(repo)
			if repo != "same/x" {
				layer = append(layer, r.Host...)
			}
			r.Image(repo, "v1", layer)
		}
	}
	path := filepath.Join(t.TempDir(), "bundle.tgz")
	var sources []string
	for _, r := range []*testregistry.Registry{a, b} {
		sources = append(sources, r.Host+"/team/app", r.Host+"/team/web", r.Host+"/same/x")
	}
	backUp(t, path, selections(t, sources...))
	for _, tt := range []struct {
		name, namespace string
		mappings        []config.Mapping
		want            []string
	}{
		{"two collide, and one has the same digest twice", "", nil, []string{"/team/app:v1 and ", "/team/web:v1 and "}},
		{"one mapping keeps them apart", "", []config.Mapping{{Source: b.Host, Target: "b"}}, nil},
		{"one that makes others collide", "", []config.Mapping{{Source: b.Host, Target: "b"}, {Source: a.Host + "/team/app", Target: "b/team/web"}}, []string{"both map to "}},
		{"too long below the namespace", strings.Repeat("n", 240), []config.Mapping{{Source: b.Host, Exclude: true}, {Source: "same", Exclude: true}},
			nil},
		{"longer below the namespace", strings.Repeat("n", 250), []config.Mapping{{Source: b.Host, Exclude: true}, {Source: "same", Exclude: true}},
			[]string{"259 characters", "259 characters"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mapper, err := config.NewMapper(tt.mappings)
			if err != nil {
				t.Fatal(err)
			}
			target := testregistry.New(t, testregistry.Options{})
			_, err = restore.Run(t.Context(), client(0), reopen(t, path), engine.RestoreOptions{Mapper: mapper,
				Targets: []config.Target{{Registry: target.Host, Namespace: tt.namespace}}})
			if len(tt.want) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || total(target) != 0 {
				t.Fatalf("%v after %d requests", err, total(target))
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("got %q, want %q", lines, tt.want)
			}
			for i, want := range tt.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("got %q, want %q", lines[i], want)
				}
			}
		})
	}
	hub, plain := testregistry.New(t, testregistry.Options{}), true
	asked := registry.New(registry.Options{Settings: func(string) (registry.Settings, error) {
		return registry.Settings{Settings: transport.Settings{PlainHTTP: &plain, Resolve: map[string]string{"registry-1.docker.io:80": hub.Host}}}, nil
	}})
	_, err := restore.Run(t.Context(), asked, reopen(t, path), engine.RestoreOptions{Only: []string{a.Host + "/same/*"},
		Targets: []config.Target{{Registry: "docker.io"}}, DryRun: true})
	if err != nil || total(hub) != 1 {
		t.Errorf("two components are right for Docker Hub: %v, requests: %v", err, hub.Requests())
	}
	_, err = restore.Run(t.Context(), asked, reopen(t, path), engine.RestoreOptions{Only: []string{a.Host + "/same/*"},
		Targets: []config.Target{{Registry: "docker.io", Namespace: "acme"}}, DryRun: true})
	var wrong *config.MappingError
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "NAMESPACE/NAME") {
		t.Errorf("three components are not: %v", err)
	}
}
