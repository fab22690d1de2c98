package e2e

import (
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestBesideOras checks the column of oras backup and restore in docs/comparison.md: the
// features that it has, and those that it lacks.
func TestBesideOras(t *testing.T) {
	r, site := startRegistry(t, registryOptions{}), startRegistry(t, registryOptions{})
	seeder := testregistry.NewSeeder(t, r.Access)
	v1 := seeder.Index("team/app", "v1", seeder.Image("team/app", "", []byte("amd64")), seeder.Image("team/app", "", []byte("arm64")))
	seeder.Referrer("team/app", v1, "application/vnd.example.signature", []byte("signature"))
	seeder.Image("team/db", "v1", []byte("db"))
	d := newDesk(t)
	oras := tool(t, "oras")
	for what, args := range map[string][]string{
		"two repositories": {"backup", "-o", "two", r.Host + "/team/app:v1", r.Host + "/team/db:v1"},
		"a whole registry": {"backup", "-o", "all", r.Host},
		"a glob of tags":   {"backup", "-o", "glob", r.Host + "/team/app:v*"},
	} {
		if got := d.run(nil, oras, args...); got.code == 0 {
			t.Errorf("oras takes %s", what)
		}
	}
	for _, absent := range []string{"--platform", "--file", "semver", "regex"} {
		if help := d.oras("backup", "--help") + d.oras("restore", "--help"); strings.Contains(help, absent) {
			t.Errorf("oras backup or restore has %s", absent)
		}
	}
	d.oras("backup", "-o", "plain", r.Host+"/team/app:v1")
	d.oras("backup", "-o", "signed.tar", "--include-referrers", r.Host+"/team/app:v1")
	d.oras("restore", "--input", "plain", site.Host+"/by/hand")
	same(t, snapshot(t, r.Access).Without("team/db:v1").WithoutReferrers().Map(func(name string) string {
		return strings.Replace(name, "team/app", "by/hand", 1)
	}), site.Access)
	d.oras("restore", "--input", "signed.tar", site.Host+"/by/hand")
	same(t, snapshot(t, r.Access).Without("team/db:v1").Map(func(name string) string {
		return strings.Replace(name, "team/app", "by/hand", 1)
	}), site.Access)
	d.oras("copy", r.Host+"/team/db:v1", site.Host+"/straight/db:v1")
}

// TestBesideSkopeo checks the column of skopeo sync in docs/comparison.md.
func TestBesideSkopeo(t *testing.T) {
	skopeo := skipped.Without(t, "skopeo")
	r, site := startRegistry(t, registryOptions{}), startRegistry(t, registryOptions{})
	seeder := testregistry.NewSeeder(t, r.Access)
	amd64, arm64 := seeder.Image("team/app", "", []byte("amd64")), seeder.Image("team/app", "", []byte("arm64"))
	v1 := seeder.Index("team/app", "v1", amd64, arm64)
	seeder.Referrer("team/app", v1, "application/vnd.example.signature", []byte("signature"))
	seeder.Image("team/db", "v1.0", []byte("db"))
	seeder.Image("team/db", "next", []byte("next"))
	d := newDesk(t)
	d.write("sync.yaml", `"`+r.Host+`":
  tls-verify: false
  images: {team/app: [v1]}
  images-by-tag-regex: {team/db: '^v'}
`)
	sync := []string{"--insecure-policy", "sync", "--src-tls-verify=false", "--dest-tls-verify=false"}
	run := func(args ...string) outcome { return d.run(nil, skopeo, append(sync, args...)...) }
	run("--all", "--preserve-digests", "--src", "yaml", "--dest", "docker", "sync.yaml", site.Host+"/by").exits(0)
	same(t, snapshot(t, r.Access).Without("team/db:next").WithoutReferrers().Map(func(name string) string {
		return strings.Replace(name, "team/", "by/", 1)
	}), site.Access)
	for _, transport := range []string{"oci", "oci-archive"} {
		if got := run("--src", "docker", "--dest", transport, r.Host+"/team/db", "out"); got.code == 0 {
			t.Errorf("skopeo syncs to %s", transport)
		}
	}
	run("--src", "docker", "--dest", "dir", r.Host+"/team/db", "dir").exits(0)
	if !d.exists("dir/db:v1.0") || !d.exists("dir/db:next") {
		t.Errorf("it does not write a directory per image: %v", d.files())
	}
}
