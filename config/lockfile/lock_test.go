package lockfile

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/testschema"
)

const specs = "../../testdata/spec"

var update = flag.Bool("update", false, "write the golden errors of testdata/spec/lock")

const (
	someSHA256 = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	someSHA512 = "sha512:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

	index    = "application/vnd.oci.image.index.v1+json"
	manifest = "application/vnd.oci.image.manifest.v1+json"
)

func reference(t testing.TB, s string) config.Reference {
	t.Helper()
	r, err := config.ParseReference(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func locked(t testing.TB) []Artifact {
	return []Artifact{
		{Reference: reference(t, "[::1]:5000/a:v1"), Digest: someSHA256, MediaType: manifest, Size: 7},
		{Reference: reference(t, "ghcr.io/acme/app:v2"), Digest: someSHA256, MediaType: index, Size: 123456789012, From: "a b, {c}: d\u00e9.yaml:3"},
		{
			Reference: reference(t, "ghcr.io/acme/app:v1"), Digest: someSHA256, MediaType: index, Size: 1234,
			Platforms: []config.Platform{{OS: "linux", Architecture: "arm", Variant: "v7"}, {OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "amd64"}},
			Referrers: []digest.Digest{someSHA512, someSHA256, someSHA256},
			Subjects:  []digest.Digest{someSHA512, someSHA512},
			SignedBy:  []string{"cosign a], \"b\" \u00e9", "cosign key 00", "cosign key 00"},
			From:      "deploy/web.yaml:12",
		},
		{Reference: reference(t, "ghcr.io/acme/app@"+someSHA512), Digest: someSHA512, MediaType: "null", Size: 1},
	}
}

const lockText = `apiVersion: oras-mirror/v1alpha1
kind: MirrorLock
artifacts:
  - {reference: "[::1]:5000/a:v1", digest: SHA256, mediaType: application/vnd.oci.image.manifest.v1+json, size: 7}
  - {reference: ghcr.io/acme/app:v1, digest: SHA256, mediaType: application/vnd.oci.image.index.v1+json, size: 1234, platforms: [linux/amd64, linux/arm/v7], referrers: [SHA256, SHA512], subjects: [SHA512], signedBy: ["cosign a], \"b\" \u00e9", "cosign key 00"], from: deploy/web.yaml:12}
  - {reference: ghcr.io/acme/app:v2, digest: SHA256, mediaType: application/vnd.oci.image.index.v1+json, size: 123456789012, from: "a b, {c}: d\u00e9.yaml:3"}
  - {reference: ghcr.io/acme/app@SHA512, digest: SHA512, mediaType: "null", size: 1}
`

func TestLock(t *testing.T) {
	want := strings.NewReplacer("SHA256", someSHA256, "SHA512", someSHA512).Replace(lockText)
	artifacts := locked(t)
	for range artifacts {
		artifacts = append(artifacts[1:], artifacts[0])
		before := fmt.Sprint(artifacts)
		var b strings.Builder
		n, err := (&Lock{Artifacts: artifacts}).WriteTo(&b)
		if err != nil || b.String() != want || n != int64(len(want)) {
			t.Fatalf("%d bytes, %v\n%s\nwant\n%s", n, err, b.String(), want)
		}
		if fmt.Sprint(artifacts) != before {
			t.Error("the caller's artifacts changed")
		}
	}
	schema := testschema.Of(t, "lock")
	if err := schema.ValidateYAML([]byte(want)); err != nil {
		t.Error(err)
	}
	if schema.ValidateYAML([]byte(strings.Replace(want, "size: 7", "size: 0", 1))) == nil {
		t.Error("the schema accepts a size of 0")
	}
	path := filepath.Join(t.TempDir(), "mirror.lock.yaml")
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil || !reflect.DeepEqual(got.Artifacts, sortedArtifacts(artifacts)) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestLockRepositories writes and loads a lock with the sizes of repositories, by both parsers.
func TestLockRepositories(t *testing.T) {
	lock := &Lock{Artifacts: locked(t), Repositories: []Repository{{reference(t, "ghcr.io/acme/app"), 7}, {reference(t, "[::1]:5000/a"), 123456789012}}}
	var b strings.Builder
	if _, err := lock.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	const want = "repositories:\n  - {repository: \"[::1]:5000/a\", size: 123456789012}\n  - {repository: ghcr.io/acme/app, size: 7}\n"
	if !strings.HasSuffix(b.String(), "}\n"+want) {
		t.Errorf("got\n%s", b.String())
	}
	if _, ok := scanAll([]byte(b.String())); !ok {
		t.Error("it is not read line by line")
	}
	for _, text := range []string{b.String(), "# reviewed\n" + b.String()} {
		got, err := Parse("mirror.lock.yaml", []byte(text))
		if err != nil || !reflect.DeepEqual(got, lock.sorted()) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	for line, want := range map[string]string{
		"- {repository: ghcr.io/acme/app:v1, size: 7}":                       `repositories[0].repository: "ghcr.io/acme/app:v1" names an artifact, not a repository`,
		"- {repository: ghcr.io/acme/app, size: 0}":                          "repositories[0].size: must be at least 1, got 0",
		"- {repository: ghcr.io/acme/app}":                                   "repositories[0].size: missing",
		"- {repository: a.io/b, size: 1}\n  - {repository: a.io/b, size: 2}": "repositories[1]: a.io/b is already in repositories[0]",
		"- {repository: a.io/b, size: 1, x: 2}":                              "repositories[0].x: unknown key",
		"[]":                                                                 "repositories: must not be empty",
	} {
		text := "apiVersion: oras-mirror/v1alpha1\nkind: MirrorLock\nartifacts: []\nrepositories:\n  " + line + "\n"
		if _, err := Parse("mirror.lock.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
	for want, bad := range map[string]Repository{
		"invalid repository": {reference(t, "a.io/b:v1"), 1}, "size: must be": {reference(t, "a.io/b"), 0}, "locked twice": {reference(t, "ghcr.io/acme/app"), 1},
	} {
		spoilt := &Lock{Artifacts: lock.Artifacts, Repositories: append(slices.Clone(lock.Repositories), bad)}
		if n, err := spoilt.WriteTo(io.Discard); n != 0 || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes, %v, want %s", n, err, want)
		}
	}
}

// TestLockEmpty writes and loads a lock without artifacts.
func TestLockEmpty(t *testing.T) {
	var b strings.Builder
	if _, err := new(Lock).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	got, err := Parse("mirror.lock.yaml", []byte(b.String()))
	if err != nil || len(got.Artifacts) != 0 {
		t.Errorf("got %+v, %v of\n%s", got, err, b.String())
	}
}

// TestLockDiff holds that a change of one artifact changes one line.
func TestLockDiff(t *testing.T) {
	artifacts := locked(t)
	before, after := lines(t, artifacts), []string(nil)
	artifacts[2].Size++
	artifacts[2].Platforms = nil
	artifacts = append(artifacts, Artifact{Reference: reference(t, "quay.io/a:v1"), Digest: someSHA256, MediaType: index, Size: 1})
	after = lines(t, artifacts)
	var changed []string
	for _, line := range after {
		if !slices.Contains(before, line) {
			changed = append(changed, line)
		}
	}
	if len(after) != len(before)+1 || len(changed) != 2 {
		t.Errorf("changed: %q", changed)
	}
}

func lines(t *testing.T, artifacts []Artifact) []string {
	t.Helper()
	var b strings.Builder
	if _, err := (&Lock{Artifacts: artifacts}).WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return strings.Split(b.String(), "\n")
}

func TestLockSelections(t *testing.T) {
	all := (&Lock{Artifacts: sortedArtifacts(locked(t))}).Selections("mirror.lock.yaml")
	want := []config.Selection{
		{Reference: reference(t, "[::1]:5000/a:v1@"+someSHA256)},
		{
			Reference: reference(t, "ghcr.io/acme/app:v1@"+someSHA256),
			Platforms: []config.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm", Variant: "v7"}},
			Referrers: true, ReferrerDigests: []digest.Digest{someSHA256, someSHA512},
			Subjects: []digest.Digest{someSHA512}, From: "deploy/web.yaml:12",
		},
		{Reference: reference(t, "ghcr.io/acme/app:v2@"+someSHA256), From: "a b, {c}: d\u00e9.yaml:3"},
		{Reference: reference(t, "ghcr.io/acme/app@"+someSHA512)},
	}
	for i := range want {
		want[i].Origin, want[i].Locked = "mirror.lock.yaml", true
	}
	if !reflect.DeepEqual(all, want) {
		t.Errorf("got\n%+v\nwant\n%+v", all, want)
	}
}

// TestLockUnwritable holds that nothing is written of a lock that would not load.
func TestLockUnwritable(t *testing.T) {
	good := locked(t)[0]
	for want, spoil := range map[string]func(a *Artifact){
		"invalid reference":               func(a *Artifact) { a.Reference.Repository = "A" },
		"names a repository":              func(a *Artifact) { a.Reference.Tag = "" },
		"differs from that":               func(a *Artifact) { a.Reference.Digest = someSHA512 },
		"digest: ":                        func(a *Artifact) { a.Digest = "sha256:1" },
		"mediaType: ":                     func(a *Artifact) { a.MediaType = "\xff" },
		"size: must be at least 1, got 0": func(a *Artifact) { a.Size = 0 },
		`invalid platform: "linux/a b"`:   func(a *Artifact) { a.Platforms = []config.Platform{{OS: "linux", Architecture: "a b"}} },
		"referrers[1]: ":                  func(a *Artifact) { a.Referrers = []digest.Digest{someSHA256, "x"} },
		"from: not UTF-8":                 func(a *Artifact) { a.From = "\xff" },
		`signedBy[0]: invalid signer ""`:  func(a *Artifact) { a.SignedBy = []string{""} },
		"subjects[0]: ":                   func(a *Artifact) { a.Subjects = []digest.Digest{"x"} },
		"locked twice":                    func(a *Artifact) { a.Reference = good.Reference },
	} {
		bad := good
		bad.Reference.Repository = "b"
		spoil(&bad)
		var b bytes.Buffer
		n, err := (&Lock{Artifacts: []Artifact{good, bad}}).WriteTo(&b)
		if n != 0 || b.Len() != 0 || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes, %v, want %s", n, err, want)
		}
	}
	broken := errors.New("broken")
	if _, err := (&Lock{Artifacts: locked(t)}).WriteTo(brokenWriter{broken}); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestLockFaults(t *testing.T) {
	data, err := os.ReadFile(specs + "/lock/bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, err = Parse("bad.yaml", data)
	if _, ok := errors.AsType[*config.LoadError](err); !ok {
		t.Fatalf("got %v, want a *LoadError", err)
	}
	golden(t, specs+"/lock/bad.err", err.Error()+"\n")

	for text, want := range map[string]string{
		"":            "mirror.lock.yaml:1:1: empty; a lock starts with apiVersion: oras-mirror/v1alpha1",
		"a: b\n---\n": "mirror.lock.yaml:2:1: more than one document; a file holds one lock",
		"[":           "mirror.lock.yaml:1:1: invalid YAML: ",
	} {
		if _, err := Parse("mirror.lock.yaml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	_, err = Load(t.TempDir())
	if _, ok := errors.AsType[*config.LoadError](err); !ok {
		t.Errorf("a folder: got %v", err)
	}
}

func TestLockPath(t *testing.T) {
	for spec, want := range map[string]string{
		"mirror.yaml":      "mirror.lock.yaml",
		"a/edge.yml":       "a/edge.lock.yaml",
		"../mirror":        "../mirror.lock.yaml",
		"mirror.yml.yaml":  "mirror.yml.lock.yaml",
		"mirror.yaml.yml":  "mirror.yaml.lock.yaml",
		"mirror.lock.yaml": "mirror.lock.lock.yaml",
	} {
		if got := Path(spec); got != want {
			t.Errorf("Path(%q) = %q, want %q", spec, got, want)
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
