// Package testbucket runs versitygw, an S3 server, for a test: with a folder of its own, on
// loopback, behind a proxy that counts requests and injects faults.
package testbucket

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
)

// The credentials of the server, which are in the environment of the test.
const (
	AccessKey = "test-access-key"
	SecretKey = "test-secret-key-of-the-bucket"
)

// Name is the bucket that exists.
const Name = "backups"

const region = "us-east-1"

// Server is a server with an empty bucket.
type Server struct {
	URL     string   // of the proxy
	Folder  string   // the objects of the bucket are files in it
	Objects *Objects // with NewInMemory

	handler  http.Handler // answers the requests
	mu       sync.Mutex
	requests []string          // guarded by mu
	fault    func(Call) *Fault // guarded by mu
	calls    map[string]int    // guarded by mu

	sent, received atomic.Int64
}

// New starts a server, and points the variables of AWS to it.
func New(t testing.TB) *Server {
	t.Helper()
	s := Start(t)
	for name, value := range s.Environment() {
		t.Setenv(name, value)
	}
	return s
}

// Start starts a server, which ends with the test. Without versitygw, which make tools
// installs, the test is skipped.
func Start(t testing.TB) *Server {
	t.Helper()
	folder := t.TempDir()
	s := &Server{Folder: filepath.Join(folder, Name), calls: make(map[string]int)}
	if err := os.Mkdir(s.Folder, 0o755); err != nil {
		t.Fatal(err)
	}
	gateway := start(t, folder)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(gateway)
			r.Out.Host = r.In.Host // it is signed
		},
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		FlushInterval: -1,
	}
	s.open(t, proxy)
	return s
}

// open lets requests in.
func (s *Server) open(t testing.TB, handler http.Handler) {
	s.handler = handler
	front := httptest.NewServer(s.inject(handler))
	t.Cleanup(front.Close)
	s.URL = front.URL
}

// Entrance opens another URL of the server, whose requests have faults of their own. So a test
// knows who of several clients has sent a request.
func (s *Server) Entrance(t testing.TB, choose func(Call) *Fault) (url string) {
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if fault := choose(newCall(req)); fault != nil {
			fault.serve(w, req, s.handler)
			return
		}
		s.handler.ServeHTTP(w, req)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

// Read returns the content of an object.
func (s *Server) Read(key string) (data []byte, ok bool) {
	if s.Objects != nil {
		return s.Objects.get(key)
	}
	data, err := os.ReadFile(filepath.Join(s.Folder, filepath.FromSlash(key)))
	return data, err == nil
}

// Environment returns the variables that lead to the server.
func (s *Server) Environment() map[string]string {
	return map[string]string{
		"AWS_ENDPOINT_URL":            s.URL,
		"AWS_ENDPOINT_URL_S3":         "",
		"AWS_ACCESS_KEY_ID":           AccessKey,
		"AWS_SECRET_ACCESS_KEY":       SecretKey,
		"AWS_SESSION_TOKEN":           "",
		"AWS_REGION":                  region,
		"AWS_EC2_METADATA_DISABLED":   "true",
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	}
}

// start runs versitygw on a free port and waits until it answers.
func start(t testing.TB, folder string) *url.URL {
	t.Helper()
	program := program(t)
	var log strings.Builder
	for range 5 { // another process may take the port first
		address := freeAddress(t)
		cmd := exec.Command(program, "--port", address, "--quiet", "posix", folder)
		cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+AccessKey, "ROOT_SECRET_KEY="+SecretKey)
		cmd.Stdout, cmd.Stderr = &log, &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			cmd.Wait()
			close(ended)
		}()
		t.Cleanup(func() {
			cmd.Process.Kill()
			<-ended
		})
		if answers(address, ended) {
			return &url.URL{Scheme: "http", Host: address}
		}
	}
	t.Fatalf("versitygw does not start:\n%s", log.String())
	return nil
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// answers waits until a server listens or its process ends.
func answers(address string, ended <-chan struct{}) bool {
	for range 400 {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(25 * time.Millisecond):
		}
	}
	return false
}

// program returns the path of versitygw, or skips the test.
func program(t testing.TB) string {
	t.Helper()
	path, ok := Installed()
	if ok {
		return path
	}
	if t, ok := t.(*testing.T); ok {
		skipped.Test(t, "versitygw", "make tools installs it")
	}
	t.Skip("make tools installs versitygw")
	return ""
}

// Installed returns the path of versitygw in .tools, and whether it is there.
func Installed() (path string, ok bool) {
	name := "versitygw"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	folder, err := os.Getwd()
	for err == nil && !exists(filepath.Join(folder, "go.mod")) && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
	}
	path = filepath.Join(folder, ".tools", name)
	return path, exists(path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Call is a request.
type Call struct {
	*http.Request
	Kind string // "GET", "PUT if absent", "PUT if match", "PUT", "LIST", "POST uploads", ...
	Key  string // of the object
	N    int    // counts the requests of the kind and key, from 1
}

func newCall(req *http.Request) Call {
	key := strings.TrimPrefix(strings.TrimPrefix(req.URL.Path, "/"+Name), "/")
	return Call{Request: req, Kind: kindOf(req), Key: key}
}

// kindOf returns the kind of a request.
func kindOf(req *http.Request) string {
	q := req.URL.Query()
	switch {
	case q.Has("list-type") || q.Has("uploads") && req.Method == http.MethodGet:
		return "LIST"
	case q.Has("partNumber"):
		return "PUT part"
	case q.Has("uploads"):
		return "POST upload"
	case q.Has("uploadId") && req.Method == http.MethodPost:
		return "POST complete"
	case q.Has("uploadId"):
		return "DELETE upload"
	case req.Header.Get("If-None-Match") != "":
		return req.Method + " if absent"
	case req.Header.Get("If-Match") != "" && req.Method == http.MethodPut:
		return "PUT if match"
	}
	return req.Method
}

// inject counts a request and lets a fault answer it.
func (s *Server) inject(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c := newCall(req)
		s.mu.Lock()
		id := c.Kind + " " + c.Key
		s.calls[id]++
		c.N = s.calls[id]
		s.requests = append(s.requests, id)
		var fault *Fault
		if s.fault != nil {
			fault = s.fault(c)
		}
		s.mu.Unlock()
		w = &counted{w, &s.sent}
		req.Body = &countedBody{req.Body, &s.received}
		if fault == nil {
			next.ServeHTTP(w, req)
			return
		}
		fault.serve(w, req, next)
	})
}

// Requests returns how many requests of each kind came since the last call.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[string]int)
	for _, id := range s.requests {
		kind := id[:strings.LastIndexByte(id, ' ')]
		counts[kind]++
	}
	s.requests = nil
	return counts
}

// Sent returns the bytes of all responses since the last call.
func (s *Server) Sent() int64 { return s.sent.Swap(0) }

// Received returns the bytes of the bodies of all requests since the last call.
func (s *Server) Received() int64 { return s.received.Swap(0) }

// countedBody counts the bytes of a request.
type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// counted counts the bytes of a response.
type counted struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Path returns s3://BUCKET/ with a key behind it.
func (s *Server) Path(key string) string { return fmt.Sprintf("s3://%s/%s", Name, key) }
