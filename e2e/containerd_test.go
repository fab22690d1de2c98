package e2e

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// containerd is a daemon of its own, in a temporary folder.
type containerd struct {
	d      *desk
	ctr    string
	socket string
}

// startContainerd starts one, or skips the test: it needs containerd, and root.
func startContainerd(t *testing.T, d *desk) *containerd {
	t.Helper()
	daemon, ctr := needs(t, "containerd"), needs(t, "ctr")
	if os.Geteuid() != 0 {
		t.Skip("containerd needs root")
	}
	dir, err := os.MkdirTemp("", "ctr") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	c := &containerd{d: d, ctr: ctr, socket: filepath.Join(dir, "sock")}
	config := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\n  address = %q\n",
		filepath.Join(dir, "root"), filepath.Join(dir, "state"), c.socket)
	cmd := d.command(daemon, "--config", file(t, dir, "config.toml", []byte(config)))
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	booted := make(chan bool, 1)
	var said strings.Builder
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(booted)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(&said, lines.Text())
			if strings.Contains(lines.Text(), "successfully booted") {
				booted <- true
			}
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		reading.Wait()
		_ = cmd.Wait()
	})
	if !<-booted {
		reading.Wait()
		t.Skipf("containerd does not start here:\n%s", said.String())
	}
	return c
}

func (c *containerd) run(args ...string) outcome {
	c.d.t.Helper()
	return c.d.run(nil, c.ctr, append([]string{"--address", c.socket}, args...)...)
}

// digest is the digest of an image in containerd; "" if it has none of that name.
func (c *containerd) digest(name string) string {
	c.d.t.Helper()
	for line := range strings.Lines(c.run("images", "ls", "name=="+name).exits(0).stdout) {
		if fields := strings.Fields(line); fields[0] == name {
			return fields[2]
		}
	}
	return ""
}

func TestContainerdImportsTheArchive(t *testing.T) {
	d := newDesk(t)
	c := startContainerd(t, d)
	r := testregistry.New(t, testregistry.Options{})
	fillTeam(r.Seeder)
	d.mirror("backup", "-o", "bundle.tar", r.Host+"/team/app").exits(0)
	c.run("images", "import", "--no-unpack", "--all-platforms", "bundle.tar").exits(0)
	contents := snapshot(t, r.Access())
	for _, tag := range []string{"v1", "v0.9", "all"} {
		want := string(contents["team/app:"+tag].Digest)
		if got := c.digest(r.Reference("team/app", tag)); got != want || want == "" {
			t.Errorf("%s is %q in containerd, want %q", tag, got, want)
		}
	}
}

// What we export from containerd comes back through restore.
func TestContainerdExportIsRestored(t *testing.T) {
	d := newDesk(t)
	c := startContainerd(t, d)
	r, site := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	r.Image("team/app", "v1", []byte("layer"))
	name := r.Reference("team/app", "v1")
	c.run("content", "fetch", "--plain-http", "--all-platforms", name).exits(0)
	c.run("images", "export", "--all-platforms", "export.tar", name).exits(0)
	d.mirror("restore", "--input", "export.tar", site.Host).exits(0)
	same(t, snapshot(t, r.Access()), site.Access())
}

// mirrored fills a mirror, in the way that client-config is to tell of: its source is
// a registry that nobody else can reach, so that all must come from the mirror.
func mirrored(t *testing.T, mappings string) (d *desk, want string) {
	t.Helper()
	d = newDesk(t)
	source, site := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	amd64 := source.Image("team/app", "", []byte("amd64"))
	source.Index("team/app", "v1", amd64)
	want = string(snapshot(t, source.Access())["team/app:v1"].Digest)
	d.write("mirror.yaml", fmt.Sprintf(`apiVersion: oras-mirror/v1alpha1
kind: Mirror
registries: [{registry: far.invalid, plainHTTP: true}]
sources: [far.invalid/team/app]
mappings: %s
targets: [%s/mirror]
`, mappings, site.Host))
	d.mirror("backup", "-f", "mirror.yaml", "-o", "bundle.tgz", "--resolve", "far.invalid:80:"+source.Host).exits(0)
	d.mirror("restore", "-f", "mirror.yaml", "--input", "bundle.tgz").exits(0)
	return d, want
}

func TestContainerdFollowsClientConfig(t *testing.T) {
	d, want := mirrored(t, "[{source: far.invalid, target: far}]")
	c := startContainerd(t, d)
	d.mirror("client-config", "--format", "containerd", "-f", "mirror.yaml", "-o", "etc").exits(0)
	c.run("content", "fetch", "--hosts-dir", d.path("etc/certs.d"), "--all-platforms", "far.invalid/team/app:v1").exits(0)
	if got := c.digest("far.invalid/team/app:v1"); got != want {
		t.Errorf("containerd has %q, want %q", got, want)
	}
}

func TestSkopeoFollowsClientConfig(t *testing.T) {
	skopeo := needs(t, "skopeo")
	d, want := mirrored(t, "[{source: far.invalid/team, target: platform}]")
	d.mirror("client-config", "--format", "podman", "-f", "mirror.yaml", "-o", filepath.Join(d.home, ".config", "containers")).exits(0)
	got := d.run(nil, skopeo, "inspect", "--no-tags", "--format", "{{.Digest}}", "docker://far.invalid/team/app:v1").exits(0).stdout
	if strings.TrimSpace(got) != want {
		t.Errorf("skopeo has %q, want %q", got, want)
	}
}
