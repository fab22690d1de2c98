package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// served is a running "oras-mirror serve".
type served struct {
	testregistry.Access
	CAFile string
}

var servedAt = regexp.MustCompile(`^serving .* on https?://127\.0\.0\.1:(\d+)$`)

// serve starts one on a free port of loopback and ends it with the test.
func (d *desk) serve(args ...string) *served {
	d.t.Helper()
	s, _ := d.start(args...)
	return s
}

func (d *desk) start(args ...string) (*served, *exec.Cmd) {
	d.t.Helper()
	cmd := d.command(program, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		d.t.Fatal(err)
	}
	ports := make(chan string, 1)
	var log []string
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(ports)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			log = append(log, lines.Text())
			if m := servedAt.FindStringSubmatch(lines.Text()); m != nil {
				ports <- m[1]
			}
		}
	})
	d.t.Cleanup(func() {
		reading.Wait() // the end of the test's context has stopped it
		if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 128+int(syscall.SIGTERM) || d.t.Failed() {
			d.t.Errorf("%v\n%s", cmd.ProcessState, strings.Join(log, "\n"))
		}
	})
	port, ok := <-ports
	if !ok {
		reading.Wait()
		d.t.Fatalf("it does not listen:\n%s", strings.Join(log, "\n"))
	}
	return &served{Access: testregistry.Access{Host: "localhost:" + port, PlainHTTP: true}}, cmd
}

// serveSafely serves over https, to one user.
func (d *desk) serveSafely(args ...string) *served {
	d.t.Helper()
	certificate := testregistry.NewCertificate(d.t)
	d.write("server.pem", string(certificate.Certificate))
	d.write("server.key", string(certificate.Key))
	d.write("ca.pem", string(certificate.CA))
	d.write("users", username+":"+passwordHash+"\n")
	s := d.serve(append(args, "--cert-file", "server.pem", "--key-file", "server.key", "--htpasswd", "users")...)
	s.PlainHTTP, s.Username, s.Password = false, username, password
	s.CAFile, s.Client = d.path("ca.pem"), trusting(certificate.CA)
	return s
}

// TestServeShowsAllThatABundleHas compares registries, over http and https.
func TestServeShowsAllThatABundleHas(t *testing.T) {
	d, secure, plain := sources(t)
	d.write("mirror.yaml", spec(secure, plain, ""))
	d.mirror("backup", "-f", "mirror.yaml").exits(0)
	want := selected(t, secure, plain)
	same(t, want, d.serve("-f", "mirror.yaml", "--input", "bundle.tgz").Access)
	same(t, want, d.serveSafely("--input", "bundle.tgz").Access)
}

// pulls are commands of other tools that read all of $HOST/team/app:v1; $TOOL is the tool
// and $FLAGS tell it of https and passwords.
var pulls = map[string]struct{ tool, http, https, script string }{
	"oras copy": {"oras", "--from-plain-http", "--from-plain-http=false --from-ca-file ca.pem --from-username keeper --from-password 'correct horse'",
		`"$TOOL" copy -r --no-tty $FLAGS "$HOST/team/app:v1" --to-oci-layout "out:v1"`},
	"oras discover": {"oras", "--plain-http", "--plain-http=false --ca-file ca.pem --username keeper --password 'correct horse'",
		`"$TOOL" discover $FLAGS "$HOST/team/app:v1" | tee out; grep -q vnd.example.signature out; grep -q vnd.example.stamp out`},
	"oras repo": {"oras", "--plain-http", "--plain-http=false --ca-file ca.pem --username keeper --password 'correct horse'",
		`"$TOOL" repo ls $FLAGS "$HOST" | grep -qx team/app; "$TOOL" repo tags $FLAGS "$HOST/team/app" | grep -qx v1`},
	"crane": {"crane", "", "",
		`"$TOOL" pull --format oci "$HOST/team/app:v1" out; "$TOOL" ls "$HOST/team/app" | grep -qx v1; "$TOOL" catalog "$HOST" | grep -qx team/app`},
	"skopeo": {"skopeo", "--src-tls-verify=false", "--src-tls-verify=false --src-creds 'keeper:correct horse'",
		`"$TOOL" --insecure-policy copy --all $FLAGS "docker://$HOST/team/app:v1" oci:out:v1`},
}

// TestOthersPullFromServe pulls with other tools out of a bundle and a directory, over http
// and, with a password, over https.
func TestOthersPullFromServe(t *testing.T) {
	sh := skipped.Without(t, "sh")
	r := testregistry.New(t, testregistry.Options{})
	fillTeam(r.Seeder)
	d := newDesk(t)
	d.mirror("backup", "-o", "bundle.tgz", r.Host+"/team/app").exits(0)
	d.mirror("backup", "-o", "layout/", r.Host+"/team/app").exits(0)
	for _, input := range []string{"bundle.tgz", "layout"} {
		plain, safe := d.serve("--input", input), d.serveSafely("--input", input)
		for name, pull := range pulls {
			for _, s := range []*served{plain, safe} {
				flags := pull.http
				if s == safe {
					if flags = pull.https; flags == "" {
						continue
					}
				}
				t.Run(fmt.Sprintf("%s of %s, http %v", name, input, s.PlainHTTP), func(t *testing.T) {
					own := newDesk(t)
					own.write("ca.pem", "")
					if s == safe {
						own.write("ca.pem", d.read("ca.pem"))
					}
					path, err := exec.LookPath(pull.tool)
					if err != nil || pull.tool != "skopeo" {
						path = tool(t, pull.tool)
					}
					script := strings.NewReplacer("$FLAGS", flags, "$TOOL", path, "$HOST", s.Host).Replace(pull.script)
					own.run(nil, sh, "-ec", script).exits(0)
				})
			}
		}
	}
}

// TestContainerdPullsFromServe: one process stands for two registries that have an
// artifact of one name.
func TestContainerdPullsFromServe(t *testing.T) {
	d := newDesk(t)
	c := startContainerd(t, d)
	want := make(map[string]string)
	for i, registry := range []string{"far.invalid", "other.invalid:8080"} {
		r := testregistry.New(t, testregistry.Options{})
		r.Index("team/app", "v1", r.Image("team/app", "", []byte(registry)))
		want[registry] = string(snapshot(t, r.Access())["team/app:v1"].Digest)
		d.mirror("backup", "-o", fmt.Sprintf("layout%d/", i), r.Host+"/team/app").exits(0)
		index := fmt.Sprintf("layout%d/index.json", i)
		d.write(index, strings.ReplaceAll(d.read(index), r.Host, registry))
	}
	s := d.serve("--input", "layout0", "--input", "layout1")
	for i := range 2 {
		d.mirror("client-config", "--format", "containerd", "--serve", "http://"+s.Host, "--input", fmt.Sprintf("layout%d", i), "-o", "etc").exits(0)
	}
	for registry, digest := range want {
		name := registry + "/team/app:v1"
		c.run("content", "fetch", "--hosts-dir", d.path("etc/certs.d"), "--all-platforms", name).exits(0)
		if got := c.digest(name); got != digest {
			t.Errorf("%s is %q in containerd, want %q", name, got, digest)
		}
	}
}

// TestSkopeoFollowsClientConfigOfServe: what podman and CRI-O read too.
func TestSkopeoFollowsClientConfigOfServe(t *testing.T) {
	skopeo := skipped.Without(t, "skopeo")
	d := newDesk(t)
	r := testregistry.New(t, testregistry.Options{})
	r.Image("team/app", "v1", []byte("layer"))
	want := string(snapshot(t, r.Access())["team/app:v1"].Digest)
	d.mirror("backup", "-o", "layout/", r.Host+"/team/app").exits(0)
	d.write("layout/index.json", strings.ReplaceAll(d.read("layout/index.json"), r.Host, "far.invalid"))
	s := d.serve("--input", "layout")
	d.mirror("client-config", "--format", "podman", "--serve", "http://"+s.Host, "--input", "layout", "-o", filepath.Join(d.home, ".config", "containers")).exits(0)
	got := d.run(nil, skopeo, "inspect", "--no-tags", "--format", "{{.Digest}}", "docker://far.invalid/team/app:v1").exits(0).stdout
	if strings.TrimSpace(got) != want {
		t.Errorf("skopeo has %q, want %q", got, want)
	}
}

// TestRequestsFinishAfterASignal: a client that reads slowly gets all, and then the process
// ends.
func TestRequestsFinishAfterASignal(t *testing.T) {
	d := newDesk(t)
	r := testregistry.New(t, testregistry.Options{})
	layer := testregistry.Random("layer", 24<<20) // more than sockets hold
	r.Image("team/app", "v1", layer)
	d.mirror("backup", "-o", "bundle.tgz", r.Host+"/team/app:v1").exits(0)
	s, cmd := d.start("--input", "bundle.tgz")
	resp, err := http.Get("http://" + s.Host + "/v2/team/app/blobs/" + digest.FromBytes(layer).String())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for { // until it takes no more connections
		conn, err := net.Dial("tcp", s.Host)
		if err != nil {
			break
		}
		conn.Close()
	}
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, layer) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}
