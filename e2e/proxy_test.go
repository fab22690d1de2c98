package e2e

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// proxy forwards requests to one registry, and notes the hosts that they were meant for.
type proxy struct {
	*httptest.Server
	to *testregistry.Registry

	mu    sync.Mutex // guards hosts
	hosts []string
}

func startProxy(t *testing.T, to *testregistry.Registry) *proxy {
	t.Helper()
	p := &proxy{to: to}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.hosts = append(p.hosts, r.Host)
	p.mu.Unlock()
	if r.Method == http.MethodConnect {
		p.tunnel(w)
		return
	}
	out := r.Clone(r.Context())
	out.RequestURI, out.URL.Host = "", p.to.Host
	answer, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

func (p *proxy) tunnel(w http.ResponseWriter) {
	far, err := net.Dial("tcp", p.to.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer far.Close()
	w.WriteHeader(http.StatusOK)
	near, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer near.Close()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(far, buffered)
		far.Close()
	})
	_, _ = io.Copy(near, far)
	near.Close()
	both.Wait()
}

// met are the hosts that it was asked for, each once.
func (p *proxy) met() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	hosts := slices.Clone(p.hosts)
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

func TestProxies(t *testing.T) {
	plain, secure := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{TLS: true})
	for _, r := range []*testregistry.Registry{plain, secure} {
		r.Image("app", "v1", []byte("layer"))
	}
	toPlain, toSecure := startProxy(t, plain), startProxy(t, secure)
	d := newDesk(t)
	run := func(reference string, args ...string) outcome {
		cmd := d.command(program, append([]string{"backup", "-o", "bundle.tgz", reference}, args...)...)
		cmd.Env = append(cmd.Env, "HTTP_PROXY="+toPlain.URL, "HTTPS_PROXY="+toSecure.URL, "NO_PROXY=near.invalid")
		return d.finish(nil, cmd)
	}
	run("far.invalid/app:v1", "--plain-http").exits(0)
	run("far.invalid/app:v1", "--insecure").exits(0)
	run("near.invalid/app:v1", "--plain-http", "--resolve", "near.invalid:80:"+plain.Host).exits(0)
	if got := toPlain.met(); !slices.Equal(got, []string{"far.invalid"}) {
		t.Errorf("HTTP_PROXY was asked for %q", got)
	}
	if got := toSecure.met(); !slices.Equal(got, []string{"far.invalid:443"}) {
		t.Errorf("HTTPS_PROXY was asked for %q", got)
	}
}
