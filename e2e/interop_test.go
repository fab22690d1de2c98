package e2e

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
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
			skipped.Without(t, name)
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

// takers are commands of others that take an artifact with two platforms out of what we
// write, and push it. $NAME is its reference, $DIGEST its digest, $TO where it goes.
var takers = []struct{ name, program, script string }{
	{"oras from the directory", "oras", `oras copy --from-oci-layout layout@$DIGEST $TO`},
	{"oras by the full name, from the directory", "oras", `oras copy --from-oci-layout-path layout $NAME $TO`},
	{"oras by the full name, from the tar", "oras", `oras copy --from-oci-layout-path bundle.tar $NAME $TO`},
	{"oras from the tar", "oras", `oras copy --from-oci-layout bundle.tar@$DIGEST $TO`},
	{"crane from the directory", "crane", `crane push --index layout $TO`}, // all of the layout as one index
	{"regctl from the directory", "regctl", `regctl --host reg=$HOST,tls=disabled image copy ocidir://layout:v1 $TO`},
	{"regctl from the tar", "regctl", `regctl --host reg=$HOST,tls=disabled image import --name $NAME $TO bundle.tar`},
	{"skopeo from the directory", "skopeo", `skopeo --insecure-policy copy --all --preserve-digests --dest-tls-verify=false oci:layout:$NAME docker://$TO`},
	{"skopeo from the tar", "skopeo", `skopeo --insecure-policy copy --all --preserve-digests --dest-tls-verify=false oci-archive:bundle.tar:$NAME docker://$TO`},
	{"skopeo from the bundle", "skopeo", `skopeo --insecure-policy copy --all --preserve-digests --dest-tls-verify=false oci-archive:bundle.tgz:$NAME docker://$TO`},
}

func TestOthersTakeWhatWeWrite(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	amd64, arm64 := source.Image("app", "", []byte("base"), []byte("amd64")), source.Image("app", "", []byte("base"), []byte("arm64"))
	source.Index("app", "v1", amd64, arm64)
	name, want := source.Reference("app", "v1"), string(snapshot(t, source.Access())["app:v1"].Digest)
	d := newDesk(t)
	for _, output := range []string{"layout/", "bundle.tar", "bundle.tgz"} {
		d.mirror("backup", "-o", output, name).exits(0)
	}
	site := startRegistry(t, registryOptions{})
	for i, taker := range takers {
		t.Run(taker.name, func(t *testing.T) {
			to := fmt.Sprintf("%s/taker%d:v1", site.Host, i)
			d.script(t, taker.program, taker.script, "NAME="+name, "DIGEST="+want, "TO="+to, "HOST="+site.Host)
			contents := snapshot(t, site.Access)
			got := contents[fmt.Sprintf("taker%d:v1", i)]
			if _, within := got.Graph["manifest "+want]; !within || taker.program != "crane" && string(got.Digest) != want {
				t.Errorf("it pushed %q, want %q", got, want)
			}
		})
	}
}

// givers are commands of others that write $OUT, a layout or an archive, with the
// artifact $FROM:v1. Some keep its name, some its tag alone.
var givers = []struct{ name, program, script, out, named string }{
	{"oras backup", "oras", `oras backup -o $OUT $FROM:v1`, "layout", ""},
	{"oras backup, tar", "oras", `oras backup -o $OUT $FROM:v1`, "backup.tar", ""},
	{"oras copy", "oras", `oras copy --recursive --to-oci-layout $FROM:v1 $OUT:v1`, "layout", ""},
	{"crane pull", "crane", `crane pull --insecure --format=oci --annotate-ref $FROM:v1 $OUT`, "layout", "team/app"},
	{"regctl image copy", "regctl", `regctl --host reg=$HOST,tls=disabled image copy $FROM:v1 ocidir://$OUT:v1`, "layout", ""},
	{"regctl image export", "regctl", `regctl --host reg=$HOST,tls=disabled image export $FROM:v1 $OUT`, "export.tar", "team/app"},
	{"skopeo copy", "skopeo", `skopeo --insecure-policy copy --all --preserve-digests --src-tls-verify=false docker://$FROM:v1 oci:$OUT:v1`, "layout", ""},
	{"skopeo copy, archive", "skopeo", `skopeo --insecure-policy copy --all --preserve-digests --src-tls-verify=false docker://$FROM:v1 oci-archive:$OUT:v1`, "copy.tar", ""},
	{"skopeo copy, gzip", "skopeo", `skopeo --insecure-policy copy --all --preserve-digests --src-tls-verify=false docker://$FROM:v1 oci-archive:copy.tar:v1 && gzip copy.tar`, "copy.tar.gz", ""},
}

func TestWeRestoreWhatOthersWrite(t *testing.T) {
	source := startRegistry(t, registryOptions{})
	seeder := testregistry.NewSeeder(t, source.Access)
	seeder.Index("team/app", "v1", seeder.Image("team/app", "", []byte("base"), []byte("amd64")), seeder.Image("team/app", "", []byte("base"), []byte("arm64")))
	want := string(snapshot(t, source.Access)["team/app:v1"].Digest)
	for _, giver := range givers {
		t.Run(giver.name, func(t *testing.T) {
			d, site := newDesk(t), testregistry.New(t, testregistry.Options{})
			d.script(t, giver.program, giver.script, "FROM="+source.Host+"/team/app", "OUT="+giver.out, "HOST="+source.Host)
			repository := cmp.Or(giver.named, "site/app")
			target := site.Host
			if giver.named == "" {
				target += "/site/app"
			}
			d.mirror("list", "--input", giver.out).exits(0)
			d.mirror("verify", "--input", giver.out).exits(0)
			d.mirror("restore", "--input", giver.out, target).exits(0)
			contents := snapshot(t, site.Access())
			if got := string(contents[repository+":v1"].Digest); got != want || len(contents) != 1 {
				t.Errorf("the target has %v, want %s as %s:v1", contents, want, repository)
			}
		})
	}
}

// script runs a line of shell with variables, which must succeed. Its program comes from
// .tools or from this machine.
func (d *desk) script(t *testing.T, program, script string, variables ...string) {
	t.Helper()
	shell := skipped.Without(t, "sh")
	tools, err := filepath.Abs(filepath.Join("..", ".tools"))
	if err != nil {
		t.Fatal(err)
	}
	if program == "skopeo" {
		skipped.Without(t, program)
	} else {
		tool(t, program)
	}
	cmd := d.command(shell, "-euc", script)
	cmd.Env = append(cmd.Env, append(variables, "PATH="+tools+string(os.PathListSeparator)+os.Getenv("PATH"))...)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, output)
	}
}

// docker save writes two formats into one archive: that of an OCI layout, and its own,
// which nothing of ours reads.
func TestWhatDockerSavesIsRestored(t *testing.T) {
	source, site := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	source.Image("library/app", "v1", []byte("layer"))
	want := snapshot(t, source.Access())
	d := newDesk(t)
	d.oras("copy", "--from-plain-http", "--to-oci-layout", source.Reference("library/app", "v1"), "layout:v1")
	index := d.read("layout/index.json")
	index = strings.Replace(index, `"org.opencontainers.image.ref.name":"v1"`, `"io.containerd.image.name":"docker.io/library/app:v1","org.opencontainers.image.ref.name":"v1"`, 1)
	d.write("layout/index.json", index)
	manifest := string(want["library/app:v1"].Digest)
	d.write("layout/manifest.json", `[{"Config":"blobs/sha256/`+strings.TrimPrefix(manifest, "sha256:")+`","RepoTags":["app:v1"],"Layers":[]}]`)
	d.write("layout/repositories", `{"app":{"v1":"`+strings.TrimPrefix(manifest, "sha256:")+`"}}`)
	d.run(nil, skipped.Without(t, "tar"), "-cf", "save.tar", "-C", "layout", "blobs", "index.json", "manifest.json", "oci-layout", "repositories").exits(0)
	d.mirror("restore", "--input", "save.tar", site.Host).exits(0)
	same(t, want, site.Access())
}

// An archive in the format of docker alone is none of ours. We say so.
func TestDockerArchiveIsRefused(t *testing.T) {
	source, site := startRegistry(t, registryOptions{}), testregistry.New(t, testregistry.Options{})
	testregistry.NewSeeder(t, source.Access).Image("app", "v1", []byte("layer"))
	d := newDesk(t)
	d.script(t, "crane", `crane pull --insecure --format=tarball $FROM docker.tar`, "FROM="+source.Host+"/app:v1")
	d.mirror("restore", "--input", "docker.tar", site.Host+"/app").exits(1).says("docker.tar: ", "oras-mirror: hint: ")
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

// TestSyncForOrasAndCrane copies from two real registries into a third by a spec, and reads
// the result with other clients, referrers included.
func TestSyncForOrasAndCrane(t *testing.T) {
	d, secure, plain := sources(t)
	target := startRegistry(t, registryOptions{Storage: t.TempDir()})
	d.write("mirror.yaml", spec(secure, plain, "targets: ['"+target.Host+"/mirror']\n"))
	d.mirror("sync", "-f", "mirror.yaml", "--verify").exits(0)
	same(t, selected(t, secure, plain).Prefix("mirror"), target.Access)
	d.mirror("plan", "--sync", "-f", "mirror.yaml", "--exit-code").exits(0)

	image := target.Host + "/mirror/team/app:v1"
	if tree := d.oras("discover", "--plain-http", image); !strings.Contains(tree, "application/vnd.example.vex") {
		t.Errorf("oras discovers %s", tree)
	}
	source := d.run(nil, tool(t, "crane"), "digest", image).exits(0)
	if want := d.oras("resolve", "--plain-http=false", "--ca-file", secure.CAFile, secure.Host+"/team/app:v1"); strings.TrimSpace(source.stdout) != strings.TrimSpace(want) {
		t.Errorf("crane has %s, oras %s", source.stdout, want)
	}
	if files := d.files(); len(files) != 2 {
		t.Errorf("the folder has %v", files)
	}
}
