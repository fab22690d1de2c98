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

	"github.com/oras-mirror/oras-mirror/internal/skipped"
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
	daemon, ctr := skipped.Without(t, "containerd"), skipped.Without(t, "ctr")
	if os.Geteuid() != 0 {
		skipped.Test(t, "containerd", "containerd needs root")
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
		skipped.Test(t, "containerd", "containerd does not start here:\n"+said.String())
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

func TestContainerdImportsTheBundle(t *testing.T) {
	d := newDesk(t)
	c := startContainerd(t, d)
	r := testregistry.New(t, testregistry.Options{})
	fillTeam(r.Seeder)
	d.mirror("backup", "-o", "bundle.tgz", r.Host+"/team/app").exits(0)
	d.run(nil, skipped.Without(t, "sh"), "-ec", "gzip -dc bundle.tgz >bundle.tar").exits(0)
	c.run("images", "import", "--no-unpack", "--all-platforms", "bundle.tar").exits(0)
	if got, want := c.digest(r.Reference("team/app", "v1")), string(snapshot(t, r.Access())["team/app:v1"].Digest); got != want {
		t.Errorf("it is %q in containerd, want %q", got, want)
	}
}

// mirroring is a mirror of one repository, in the way that client-config is to tell of:
// the name of the source does not resolve, so that all must come from the mirror.
type mirroring struct {
	source, repository string
	mappings           string
	namespace          string // of the target, with its slash
	tls                bool
}

// prefixed are those that every runtime but docker can be told of.
var prefixed = map[string]mirroring{
	"a place of its own":       {"far.invalid", "team/app", "[{source: far.invalid, target: far}]", "/mirror", false},
	"the root of the mirror":   {"far.invalid:8080", "team/app", "[]", "", false},
	"Docker Hub":               {"docker.io", "library/app", "[]", "/mirror", false},
	"an authority of ours":     {"far.invalid", "team/a.p-p", "[]", "/mirror", true},
	"an authority at the root": {"far.invalid:8080", "app", "[{source: far.invalid:8080, target: ''}]", "", true},
}

// renamed can be told to those only that know names.
var renamed = map[string]mirroring{
	"another name":       {"far.invalid", "team/app", "[{source: far.invalid/team, target: platform}]", "/mirror", false},
	"another repository": {"docker.io", "library/app", "[{source: docker.io/app, target: web}]", "", true},
	"a pattern":          {"far.invalid:8080", "team/app", "[{sourcePattern: '[^/]+/(.+)/(.+)', target: '${2}/${1}'}]", "", false},
}

// fill fills the mirror and writes mirror.yaml. It returns the reference that clients
// know, and the digest of what it stands for.
func (m mirroring) fill(t *testing.T, d *desk) (name, want string) {
	t.Helper()
	source, site := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{TLS: m.tls})
	source.Index(m.repository, "v1", source.Image(m.repository, "", []byte("amd64")))
	want = string(snapshot(t, source.Access())[m.repository+":v1"].Digest)
	trust := "plainHTTP: true"
	if m.tls {
		d.write("ca.pem", string(site.CA))
		trust = "plainHTTP: false, caFile: ca.pem"
	}
	d.write("mirror.yaml", fmt.Sprintf(`apiVersion: oras-mirror/v1alpha1
kind: Mirror
registries: [{registry: %q, plainHTTP: true}, {registry: %q, %s}]
sources: [%[1]s/%[4]s]
mappings: %[5]s
targets: [%[2]s%[6]s]
`, m.source, site.Host, trust, m.repository, m.mappings, m.namespace))
	host, port, ok := strings.Cut(m.source, ":")
	if !ok {
		port = "80"
	}
	if host == "docker.io" {
		host = "registry-1.docker.io"
	}
	d.mirror("backup", "-f", "mirror.yaml", "-o", "bundle.tgz", "--resolve", host+":"+port+":"+source.Host).exits(0)
	d.mirror("restore", "-f", "mirror.yaml", "--input", "bundle.tgz").exits(0)
	return m.source + "/" + m.repository + ":v1", want
}

func TestContainerdFollowsClientConfig(t *testing.T) {
	c := startContainerd(t, newDesk(t))
	for what, m := range prefixed {
		t.Run(what, func(t *testing.T) {
			d := newDesk(t)
			name, want := m.fill(t, d)
			d.mirror("client-config", "--format", "containerd", "-f", "mirror.yaml", "-o", "etc").exits(0)
			c.run("content", "fetch", "--hosts-dir", d.path("etc/certs.d"), "--all-platforms", name).exits(0)
			defer c.run("images", "rm", "--sync", name)
			if got := c.digest(name); got != want {
				t.Errorf("containerd has %q, want %q", got, want)
			}
		})
	}
}

func TestSkopeoFollowsClientConfig(t *testing.T) {
	skopeo := skipped.Without(t, "skopeo")
	for _, cases := range []map[string]mirroring{prefixed, renamed} {
		for what, m := range cases {
			t.Run(what, func(t *testing.T) {
				d := newDesk(t)
				name, want := m.fill(t, d)
				d.mirror("client-config", "--format", "podman", "-f", "mirror.yaml", "-o", filepath.Join(d.home, ".config", "containers")).exits(0)
				got := d.run(nil, skopeo, "inspect", "--no-tags", "--format", "{{.Digest}}", "docker://"+name).exits(0).stdout
				if strings.TrimSpace(got) != want {
					t.Errorf("skopeo has %q, want %q", got, want)
				}
			})
		}
	}
}
