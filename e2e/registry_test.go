package e2e

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

const (
	username = "keeper"
	password = "correct horse"
	// passwordHash is bcrypt of password at its lowest cost.
	passwordHash = "$2a$04$m84RchoI7DdIOTM.WdJfu.U6WDONqW6kOak15ovu7GIe2r0I7vun6"
)

// registryOptions say how a real registry is set up. The zero value is plain http,
// open to all, in memory.
type registryOptions struct {
	TLS      bool
	Password bool
	Token    bool   // bearer tokens from a server of ours that knows the password
	Storage  string // a folder; empty: in memory
	Sparse   bool   // take an index whose children are absent
}

// realRegistry is a running process of distribution's registry.
type realRegistry struct {
	testregistry.Access
	CAFile string // of its certificate; empty without TLS
	pid    int
}

// startRegistry starts one on a free port of loopback and ends it with the test.
func startRegistry(t *testing.T, o registryOptions) *realRegistry {
	t.Helper()
	path, dir := tool(t, "registry"), t.TempDir()
	r := &realRegistry{Access: testregistry.Access{PlainHTTP: !o.TLS}}
	if o.Password || o.Token {
		r.Username, r.Password = username, password
	}
	config := r.configure(t, o, dir)
	cmd := exec.Command(path, "serve", config)
	cmd.Env = append(environment(), "OTEL_TRACES_EXPORTER=none")
	r.Host = "localhost:" + listen(t, cmd)
	r.pid = cmd.Process.Pid
	return r
}

// configure writes the registry's configuration, which is JSON because that is YAML,
// and returns its path.
func (r *realRegistry) configure(t *testing.T, o registryOptions, dir string) string {
	t.Helper()
	type section = map[string]any
	server := section{"addr": "127.0.0.1:0", "secret": "of this test"}
	storage := section{"delete": section{"enabled": true}, "inmemory": section{}}
	if o.Storage != "" {
		delete(storage, "inmemory")
		storage["filesystem"] = section{"rootdirectory": o.Storage}
	}
	config := section{
		"version": "0.1",
		"log":     section{"accesslog": section{"disabled": true}},
		"storage": storage,
		"http":    server,
	}
	if o.TLS {
		certificate := testregistry.NewCertificate(t)
		r.CAFile = file(t, dir, "ca.pem", certificate.CA)
		r.Client = trusting(certificate.CA)
		server["tls"] = section{
			"certificate": file(t, dir, "server.pem", certificate.Certificate),
			"key":         file(t, dir, "server.key", certificate.Key),
		}
	}
	if o.Sparse {
		config["validation"] = section{"manifests": section{"indexes": section{"platforms": "none"}}}
	}
	switch {
	case o.Token:
		config["auth"] = section{"token": startTokenServer(t, dir)}
	case o.Password:
		users := file(t, dir, "htpasswd", []byte(username+":"+passwordHash+"\n"))
		config["auth"] = section{"htpasswd": section{"realm": "e2e", "path": users}}
	}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return file(t, dir, "config.yml", data)
}

func file(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func trusting(ca []byte) *http.Client {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
}

var listening = regexp.MustCompile(`listening on 127\.0\.0\.1:(\d+)`)

// listen starts a registry and returns its port, which its log tells once the port
// is open. What it logs is shown if the test fails.
func listen(t *testing.T, cmd *exec.Cmd) (port string) {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var log []string
	ports := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(ports)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			log = append(log, lines.Text())
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				ports <- m[1]
			}
		}
	})
	t.Cleanup(func() {
		cmd.Process.Kill()
		reading.Wait()
		cmd.Wait()
		if t.Failed() {
			t.Logf("the registry on port %s said:\n%s", port, strings.Join(log, "\n"))
		}
	})
	port, ok := <-ports
	if !ok {
		t.Fatal("the registry ended")
	}
	return port
}

// login logs in as oras does, and so leaves what our program must find.
func (d *desk) login(r *realRegistry) {
	d.t.Helper()
	args := []string{"login", r.Host, fmt.Sprintf("--plain-http=%v", r.PlainHTTP), "--username", r.Username, "--password-stdin"}
	if r.CAFile != "" {
		args = append(args, "--ca-file", r.CAFile)
	}
	d.run(strings.NewReader(r.Password), tool(d.t, "oras"), args...).exits(0)
}
