package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// unpackers are commands that unpack $1 in the current folder.
var unpackers = map[string]string{
	"tar":     `tar xzf "$1"`,
	"bsdtar":  `bsdtar xzf "$1"`,
	"busybox": `busybox tar xzf "$1"`,
	"pigz":    `pigz -dc "$1" | tar xf -`,
	"gzip":    `gzip -t "$1" && gzip -dc "$1" | tar xf -`,
	"python3": `python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(filter="data")' "$1"`,
}

func TestOthersUnpackTheBundle(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillTeam(r.Seeder)
	r.Image("big", "v1", testregistry.Random("big", 3<<20), make([]byte, 3<<20))
	d := newDesk(t)
	d.mirror("backup", "-o", "bundle.tgz", r.Host+"/team/app", r.Host+"/big").exits(0)
	d.mirror("backup", "-o", "layout/", r.Host+"/team/app", r.Host+"/big").exits(0)
	want := blobs(t, d.path("layout"))
	for name, script := range unpackers {
		t.Run(name, func(t *testing.T) {
			needs(t, name)
			out := newDesk(t)
			out.run(nil, "sh", "-ec", script, "sh", d.path("bundle.tgz")).exits(0)
			got := blobs(t, out.Dir)
			if len(got) != len(want) {
				t.Errorf("%d blobs, want %d", len(got), len(want))
			}
			for blob := range want {
				if !got[blob] {
					t.Errorf("blob %s is not there", blob)
				}
			}
			tags := out.oras("repo", "tags", "--oci-layout", ".")
			if !strings.Contains(tags, r.Reference("team/app", "v1")+"\n") {
				t.Errorf("oras lists\n%s", tags)
			}
		})
	}
}

// blobs lists a layout's blobs, whose bytes it checks.
func blobs(t *testing.T, layout string) map[string]bool {
	t.Helper()
	dir := filepath.Join(layout, "blobs", "sha256")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, entry := range entries {
		data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != entry.Name() {
			t.Errorf("blob %s has other bytes", entry.Name())
		}
		names[entry.Name()] = true
	}
	return names
}

func TestSkopeoReadsTheDirectory(t *testing.T) {
	skopeo := needs(t, "skopeo")
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("layer"))
	d := newDesk(t)
	d.mirror("backup", "-o", "layout/", r.Host+"/app").exits(0)
	got := d.run(nil, skopeo, "inspect", "--raw", "oci:layout:"+r.Reference("app", "v1")).exits(0).stdout
	want := d.oras("manifest", "fetch", "--plain-http", r.Reference("app", "v1"))
	if got != want {
		t.Errorf("skopeo shows %q, want %q", got, want)
	}
}

// A layout of another tool has tags without a registry, or no names at all.
func TestForeignLayoutsAreRestored(t *testing.T) {
	source, site := startRegistry(t, registryOptions{}), startRegistry(t, registryOptions{})
	fillTeam(testregistry.NewSeeder(t, source.Access))
	d := newDesk(t)
	d.oras("copy", "--recursive", "--to-oci-layout", source.Host+"/team/app:v1", "layout:v1")
	d.oras("copy", "--recursive", "--to-oci-layout", source.Host+"/team/app:v0.9", "layout:v0.9")
	d.mirror("restore", "--input", "layout", site.Host+"/site/app").exits(0)
	want := snapshot(t, source.Access).Without("team/app:all").Map(func(name string) string {
		return strings.Replace(name, "team/", "site/", 1)
	})
	same(t, want, site.Access)
}

func TestOtherClientsReadTheTarget(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	fillTeam(source.Seeder)
	site := startRegistry(t, registryOptions{})
	d := newDesk(t)
	d.mirror("backup", "-o", "bundle.tgz", source.Host+"/team/app").exits(0)
	d.mirror("restore", "--input", "bundle.tgz", site.Host).exits(0)

	want := string(snapshot(t, source.Access())["team/app:v1"].Digest)
	got := d.run(nil, tool(t, "crane"), "digest", site.Host+"/team/app:v1").exits(0).stdout
	if strings.TrimSpace(got) != want {
		t.Errorf("crane says %s, want %s", got, want)
	}
	got = d.run(nil, tool(t, "regctl"), "--host", "reg="+site.Host+",tls=disabled", "artifact", "list",
		"--format", "{{range .Descriptors}}{{println .ArtifactType}}{{end}}", site.Host+"/team/app:v1").exits(0).stdout
	if strings.TrimSpace(got) != "application/vnd.example.signature" {
		t.Errorf("regctl lists %q", got)
	}
}
