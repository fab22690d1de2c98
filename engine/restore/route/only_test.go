package route

import (
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine/internal/origin"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// TestOnlyMatchesRepositoryAndTagSeparately: ** spans components of the path in front
// of a tag too, and nothing spans the colon.
func TestOnlyMatchesRepositoryAndTagSeparately(t *testing.T) {
	sum := digest.FromString("x").String()
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"h.example/**:v1", "h.example/app:v1", true},
		{"h.example/**:v1", "h.example/a/b/c:v1", true},
		{"h.example/**:v1", "h.example/a/b/c:v2", false},
		{"h.example/**:v*", "h.example/a/b:v2", true},
		{"**:v1", "h.example/a/b:v1", true},
		{"**/app:v1", "h.example/a/b/app:v1", true},
		{"**/app:v1", "h.example/app:v1", true},
		{"**/app:v1", "h.example/a/wrapp:v1", false},
		{"a/**/z:1.*", "h.example/a/b/c/z:1.2", true},
		{"h.example/*:v1", "h.example/app:v1", true},
		{"h.example/*:v1", "h.example/a/b:v1", false},
		{"h.example/**", "h.example/a/b:v1", true},
		{"h.example/a/b", "h.example/a/b:v1", true},
		{"a/b", "h.example/a/b:v1", true},
		{"a/b:v1", "h.example/a/b:v1", true},
		{"a/*:v[12]", "h.example/a/b:v2", true},
		{"a/b:v[!12]", "h.example/a/b:v2", false},
		{"{a/**:v1,c:v2}", "h.example/a/b/b:v1", true},
		{"{a/**:v1,c:v2}", "h.example/c:v2", true},
		{"{a/**:v1,c:v2}", "h.example/c:v1", false},
		{"**:{v1,v{2,3}}", "h.example/a/b:v3", true},
		{"{a,b}/**:{v1,v2}", "h.example/b/c/d:v2", true},
		{"localhost:5000/**", "localhost:5000/a/b:v1", true},
		{"localhost:5000/**:v1", "localhost:5000/a/b:v1", true},
		{"localhost:5000/**:v1", "localhost:5000/a/b:v2", false},
		{"localhost:*/**:v1", "localhost:5000/a/b:v1", true},
		{"h.example/**@sha256:*", "h.example/a/b@" + sum, true},
		{"h.example/**@sha256:*", "h.example/a/b:v1", false},
		{"**@" + sum, "h.example/a/b@" + sum, true},
		{"h.example/a/b", "h.example/a/b@" + sum, true},
		{"v*", "v1", true},
		{"**", "v1", true},
		{"app:v1", "app:v1", true},
		{"**:v1", "a/b/app:v1", true},
		{"a/*:v1", "a/b/app:v1", false},
		{"**:v1", "v1", false},
		{"**", "h.example/a/b:v1", true},
		{"*", "h.example/app:v1", true},
		{"*", "h.example/a/b:v1", false},
		{"docker.io/nginx:v1", "docker.io/library/nginx:v1", true},
		{"index.docker.io/nginx", "docker.io/library/nginx:v1", true},
		{"docker.io/nginx:v1", "docker.io/library/nginx:v2", false},
		{"docker.io/ngin*@sha256:*", "docker.io/library/nginx@" + sum, true},
		{"{registry-1.docker.io/nginx:v1,quay.io/a:v2}", "docker.io/library/nginx:v1", true},
		{"{index.docker.io/team/**,quay.io/a:v2}", "docker.io/team/app:v1", true},
		{"docker.io/**:v1", "docker.io/team/app:v1", true},
		{"docker.io/*", "docker.io/team/app:v1", false},
	} {
		ref, err := config.ParseReference(tt.name)
		if err != nil || ref.IsRepository() {
			ref = config.Reference{}
		}
		if got := parseOnly(tt.pattern).matches(origin.Root{Entry: &oci.Entry{Name: tt.name, Digest: digest.FromString("y")}, Ref: ref}); got != tt.want {
			t.Errorf("%s matches %s: %v", tt.pattern, tt.name, got)
		}
	}
	r := origin.Root{Entry: &oci.Entry{Name: "v1", Digest: digest.FromString("x")}}
	if !parseOnly(sum).matches(r) || !parseOnly("sha256:*").matches(r) {
		t.Error("a digest does not match")
	}
}
