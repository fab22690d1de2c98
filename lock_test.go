package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

const specOfMany = `apiVersion: oras-mirror/v1alpha1
kind: Mirror
registries:
  - {registry: %[1]s, concurrency: 8}
  - {registry: %[2]s, distributionSpec: v1.1-referrers-tag}
defaults: {platforms: [linux/arm64]}
sources:
  - registry: %[1]s
    repositories: {include: ["team/**"], exclude: ["team/scratch"]}
    tags: {regex: 'v[0-9]+', exclude: ["v9"]}
  - repository: %[2]s/multi
    platforms: [all]
    referrers: {artifactTypes: ["application/vnd.example.*"]}
  - repository: %[2]s/multi/latest
    tags: {semver: ">=1", latest: 1}
    referrers: false
  - {repository: %[2]s/nothing, optional: true, tags: {include: ["none*"]}}
  - %[2]s/signed:v1
`

// many fills two registries: 40 repositories, 600 tags, and what refers to them by
// the API in one and by tags in the other.
func many(a, b *testregistry.Registry) {
	for i := range 37 {
		for k := range 16 {
			a.Image(fmt.Sprintf("team/r%d", i), fmt.Sprintf("v%d", k), []byte("base"), fmt.Appendf(nil, "%d %d", i, k))
		}
	}
	a.Image("team/scratch", "v1", []byte("not wanted"))
	for _, tag := range []string{"v1", "v2"} {
		platforms(a, "team/multi", tag, [][]byte{[]byte("base")})
		platforms(b, "multi", tag, [][]byte{[]byte("base")})
	}
	for _, tag := range []string{"1.9.0", "1.10.0", "0.1.0"} {
		nested := b.Index("multi/latest", "", b.Image("multi/latest", "", []byte(tag)), b.Image("multi/latest", "", []byte("arm64 "+tag)))
		b.Index("multi/latest", tag, b.Image("multi/latest", "", []byte("amd64 "+tag)), nested)
	}
	b.Image("nothing", "v1", []byte("not wanted"))
	b.Referrer("signed", b.Image("signed", "v1", []byte("base")), "application/vnd.example.sbom", []byte("sbom"))
}

// TestLockOfMany: two locks of the same registries are the same bytes, and two
// backups of a lock the same bundle, whatever comes first.
func TestLockOfMany(t *testing.T) {
	a, b := testregistry.New(t, testregistry.Options{PageSize: 7}), testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
	many(a, b)
	spec := filepath.Join(t.TempDir(), "mirror.yaml")
	if err := os.WriteFile(spec, fmt.Appendf(nil, specOfMany, a.Host, b.Host), 0o600); err != nil {
		t.Fatal(err)
	}
	var locks, bundles [2][]byte
	for i, concurrency := range []string{"--concurrency=1", "--concurrency=32"} {
		bundle := filepath.Join(t.TempDir(), "bundle.tgz")
		for _, args := range [][]string{{"lock", "-f", spec, concurrency}, {"backup", "-f", spec, "--locked", "-o", bundle, concurrency}} {
			if code, _, stderr := try(t, "", args...); code != 0 {
				t.Fatalf("%v: exit code %d\n%s", args, code, stderr)
			}
		}
		locks[i], bundles[i] = contentOf(t, config.LockPath(spec)), contentOf(t, bundle)
	}
	if !bytes.Equal(locks[0], locks[1]) {
		t.Errorf("two locks differ:\n%s\n%s", locks[0], locks[1])
	}
	if !bytes.Equal(bundles[0], bundles[1]) {
		t.Error("two bundles of a lock differ")
	}
	// 15 of 16 tags of each repository, the two of team/multi, two, one and one.
	if got, want := strings.Count(string(locks[0]), "\n  - "), 37*15+2+2+1+1; got != want {
		t.Errorf("%d artifacts are locked, want %d", got, want)
	}
	for text, want := range map[string]int{"platforms: [linux/arm64]": 3, "multi/latest:1.10.0": 1, "scratch": 0, "nothing": 0, "referrers: [": 5} {
		if got := strings.Count(string(locks[0]), text); got != want {
			t.Errorf("%q stands %d times in the lock, want %d", text, got, want)
		}
	}
}

func contentOf(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
