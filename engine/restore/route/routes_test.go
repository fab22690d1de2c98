package route

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// rootNamed makes a root whose digest is that of content.
func rootNamed(name, content string) origin.Root {
	r := origin.Root{Entry: &oci.Entry{Name: name, Digest: digest.FromString(content)}}
	if ref, err := config.ParseReference(name); err == nil && !ref.IsRepository() {
		r.Ref = ref
	}
	return r
}

// TestRoutes maps roots without a registry, a layout or a request.
func TestRoutes(t *testing.T) {
	mapper, err := config.NewMapper(nil)
	if err != nil {
		t.Fatal(err)
	}
	app, db := rootNamed("a.example/team/app:v1", "app"), rootNamed("b.example/db:v2", "db")
	other := rootNamed("b.example/team/app:v1", "other app")
	signature := rootNamed("a.example/team/app:"+strings.Replace(string(app.Entry.Digest), ":", "-", 1)+".sig", "signature")
	bare := rootNamed("v3", "bare")
	damaged := rootNamed("a.example/damaged:v1", "damaged")
	damaged.Fault = errors.New("damaged")
	place := config.Target{Registry: "t.example"}
	below := config.Target{Registry: "t.example", Namespace: "mirror"}
	for _, tt := range []struct {
		name    string
		routes  Routes
		want    []string // destinations
		failing error    // a pointer to the type of the error
	}{
		{"each to its path", Routes{roots: []origin.Root{app, db}, targets: []config.Target{place}}, []string{"t.example/team/app:v1", "t.example/db:v2"}, nil},
		{"each to each target", Routes{roots: []origin.Root{app}, targets: []config.Target{place, below}}, []string{"t.example/team/app:v1", "t.example/mirror/team/app:v1"}, nil},
		{"a signature goes along", Routes{roots: []origin.Root{app, signature}, only: []string{"**/app:v1"}, targets: []config.Target{place}},
			[]string{"t.example/team/app:v1", "t.example/team/app:" + signature.Ref.Tag}, nil},
		{"no signature", Routes{roots: []origin.Root{app, signature}, excludeReferrers: true, targets: []config.Target{place}}, []string{"t.example/team/app:v1"}, nil},
		{"two digests on one reference", Routes{roots: []origin.Root{app, other}, targets: []config.Target{place}}, []string{"t.example/team/app:v1"}, new(engine.CollisionError)},
		{"a pattern that matches nothing", Routes{roots: []origin.Root{app}, only: []string{"**/nothing"}, targets: []config.Target{place}}, nil, new(engine.OnlyError)},
		{"a bare tag below a namespace", Routes{roots: []origin.Root{bare}, targets: []config.Target{below}}, []string{"t.example/mirror:v3"}, nil},
		{"a bare tag and no repository", Routes{roots: []origin.Root{bare}, targets: []config.Target{place}}, nil, new(engine.NameError)},
		{"a bare tag beside a full name", Routes{roots: []origin.Root{bare, app}, targets: []config.Target{place}}, []string{"", "t.example/team/app:v1"}, nil},
		{"a fault takes no destination", Routes{roots: []origin.Root{damaged}, targets: []config.Target{place}}, []string{""}, nil},
		{"what failed before", Routes{roots: []origin.Root{app, db, signature}, targets: []config.Target{place}, retry: func(reference, _ string) bool { return reference == app.Name() }},
			[]string{"t.example/team/app:v1", "t.example/team/app:" + signature.Ref.Tag}, nil},
		{"a tag for two artifacts", Routes{roots: []origin.Root{bare, app}, tag: "v9", targets: []config.Target{below}}, nil, new(engine.RetagError)},
	} {
		m := tt.routes
		m.mapper, m.notice = mapper, func(string) {}
		m.family = func(desc ocispec.Descriptor) []digest.Digest { return []digest.Digest{desc.Digest} }
		all, err := m.All()
		var got []string
		for _, r := range all {
			got = append(got, r.Destination())
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if !isLike(err, tt.failing) {
			t.Errorf("%s: %v, want a %T", tt.name, err, tt.failing)
		}
	}
}

// isLike reports whether err is one of the errors that a route fails with, of the type of
// like; with a like of nil, whether there is none.
func isLike(err, like error) bool {
	switch like.(type) {
	case nil:
		return err == nil
	case *engine.CollisionError:
		return errors.As(err, new(*engine.CollisionError))
	case *engine.OnlyError:
		return errors.As(err, new(*engine.OnlyError))
	case *engine.NameError:
		return errors.As(err, new(*engine.NameError))
	case *engine.RetagError:
		return errors.As(err, new(*engine.RetagError))
	}
	return false
}
