package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/registry"

	"github.com/oras-mirror/oras-mirror/engine/registry/internal/registrytest"
)

var (
	newClock        = func() *clock { return &clock{registrytest.NewClock()} }
	serve           = registrytest.Serve
	imageManifest   = registrytest.ImageManifest
	giveManifest    = registrytest.GiveManifest
	giveError       = registrytest.GiveError
	breakOff        = registrytest.BreakOff
	describeBytes   = registrytest.DescribeBytes
	randomBytes     = registrytest.RandomBytes
	opener          = registrytest.Opener
	credentialsFile = registrytest.CredentialsFile
	noError         = registrytest.NoError
)

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	registrytest.Equal(t, what, got, want)
}

// subject is the descriptor of imageManifest.
var subject = ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(imageManifest), Size: int64(len(imageManifest))}

// clock is time for tests.
type clock struct{ *registrytest.Clock }

// options are those of a run with that clock, the longest back-offs, and no
// credentials of the user that runs the test.
func (c *clock) options(t *testing.T) testOptions {
	return testOptions{Options: Options{
		CredentialFiles: []string{filepath.Join(t.TempDir(), "none.json")},
		Retry:           RetryOptions{Now: c.Now, Sleep: c.Sleep, Jitter: func() float64 { return 1 }},
	}}
}

// testOptions has the settings of each host, too.
type testOptions struct {
	Options
	Settings func(host string) (Settings, error)
}

// registries are the hosts of a test by their names.
type registries struct {
	*Transport
	settings func(host string) (Settings, error)
	hosts    map[string]*Host
}

func newRegistries(o testOptions) *registries {
	if o.Settings == nil {
		o.Settings = func(string) (Settings, error) { return Settings{}, nil }
	}
	return &registries{Transport: New(o.Options), settings: o.Settings, hosts: make(map[string]*Host)}
}

// Repository returns a repository of a host.
func (rs *registries) Repository(host, name string) (*Repository, error) {
	h, ok := rs.hosts[host]
	if !ok {
		s, err := rs.settings(host)
		if err != nil {
			return nil, err
		}
		base := &url.URL{Host: registry.Reference{Registry: host}.Host()}
		base.Scheme = s.Scheme(base.Hostname())
		if h, err = rs.Host(host, base, s); err != nil {
			return nil, err
		}
		rs.hosts[host] = h
	}
	return &Repository{Client: h.Client(name), name: name}, nil
}

// Repository sends the requests of a repository, in as few lines as the tests of its host need.
type Repository struct {
	*Client
	name string
}

// repository returns test/repo of a registry with the handler h.
func repository(t *testing.T, h http.HandlerFunc) (*Repository, *clock) {
	t.Helper()
	c := newClock()
	return open(t, newRegistries(c.options(t)), serve(t, h), "test/repo"), c
}

func open(t *testing.T, rs *registries, host, name string) *Repository {
	t.Helper()
	r, err := rs.Repository(host, name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *Repository) url(path ...string) *url.URL {
	return r.host.base.JoinPath(append([]string{"v2", r.name}, path...)...)
}

// Resolve asks for the headers of a manifest, and for the manifest if they lack the digest.
func (r *Repository) Resolve(ctx context.Context, reference string) (desc ocispec.Descriptor, err error) {
	resp, err := r.Get(ctx, http.MethodHead, r.url("manifests", reference), nil, http.StatusOK)
	if err != nil {
		return desc, r.fail("resolve", reference, err)
	}
	resp.Body.Close()
	if desc.Digest = digest.Digest(resp.Header.Get("Docker-Content-Digest")); desc.Digest == "" {
		desc, _, err = r.FetchManifest(ctx, reference)
	}
	return desc, err
}

// FetchManifest gets a manifest.
func (r *Repository) FetchManifest(ctx context.Context, reference string) (ocispec.Descriptor, []byte, error) {
	_, data, err := r.Read(ctx, r.url("manifests", reference), nil, 1<<20)
	return describeBytes(data), data, r.fail("fetch", reference, err)
}

// FetchBlob opens a part of a blob.
func (r *Repository) FetchBlob(ctx context.Context, desc ocispec.Descriptor, off, n int64) (io.ReadCloser, error) {
	return r.OpenRange(ctx, r.url("blobs", desc.Digest.String()), desc.Size, off, n)
}

// PushBlob uploads a blob.
func (r *Repository) PushBlob(ctx context.Context, desc ocispec.Descriptor, open func() (io.ReadCloser, error)) error {
	req, err := r.Request(ctx, http.MethodPost, r.url("blobs", "uploads/"), nil)
	if err != nil {
		return err
	}
	resp, err := r.Send(req, http.StatusAccepted)
	if err != nil {
		return err
	}
	resp.Body.Close()
	location, err := ResolveLocation(resp.Request.URL, resp.Header.Get("Location"))
	if err != nil {
		return err
	}
	var a Authorization
	if SameOrigin(location, resp.Request.URL) {
		a = AuthorizationOf(resp)
	}
	body, err := open()
	if err != nil {
		return err
	}
	_, err = r.Upload(ctx, Upload{Method: http.MethodPut, URL: location, Authorization: a, Body: body, Size: desc.Size}, http.StatusCreated)
	return err
}

// Tags lists a page of tags.
func (r *Repository) Tags(ctx context.Context, yield func([]string) error) error {
	var page struct{ Tags []string }
	resp, err := r.Stream(ctx, r.url("tags", "list"), nil, 1<<20, func(_ *http.Response, body io.Reader) error {
		return json.NewDecoder(body).Decode(&page)
	})
	if err == nil {
		_, err = NextPage(resp)
	}
	if err != nil {
		return err
	}
	return yield(page.Tags)
}

// failure names what failed, as package registry does.
type failure struct {
	op, reference string
	err           error
}

func (r *Repository) fail(op, reference string, err error) error {
	if err == nil {
		return nil
	}
	return &failure{op, r.host.name + "/" + r.name + ":" + reference, err}
}

func (f *failure) Error() string {
	return f.reference + ": " + f.op + ": " + Describe(f.reference, f.err)
}
func (f *failure) Unwrap() error { return f.err }

// storing is a registry that stores what is uploaded.
type storing struct{ stored bytes.Buffer }

func (s *storing) serve(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodPost {
		w.Header().Set("Location", "session")
		w.WriteHeader(http.StatusAccepted)
		return
	}
	io.Copy(&s.stored, req.Body)
	w.WriteHeader(http.StatusCreated)
}
