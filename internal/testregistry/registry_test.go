package testregistry

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ask sends one request; body "" is none. It closes the answer's body.
func ask(t *testing.T, r *Registry, method, path, body string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(data))
	return resp
}

func text(t *testing.T, resp *http.Response) string {
	t.Helper()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRange(t *testing.T) {
	data := string(Random("blob", 100))
	for _, c := range []struct {
		rng    string
		none   bool
		status int
		want   string
	}{
		{"bytes=10-19", false, http.StatusPartialContent, data[10:20]},
		{"bytes=90-", false, http.StatusPartialContent, data[90:]},
		{"bytes=100-", false, http.StatusRequestedRangeNotSatisfiable, ""},
		{"bytes=10-19", true, http.StatusOK, data},
	} {
		r := New(t, Options{NoRange: c.none})
		blob := r.Blob("app", "", []byte(data))
		resp := ask(t, r, "GET", "/v2/app/blobs/"+blob.Digest.String(), "", "Range", c.rng)
		got := text(t, resp)
		if resp.StatusCode != c.status || c.want != "" && got != c.want {
			t.Errorf("%s: %s, %d bytes", c.rng, resp.Status, len(got))
		}
		if announced := resp.Header.Get("Accept-Ranges") != ""; announced == c.none && resp.StatusCode < 300 {
			t.Errorf("%s: Accept-Ranges announced: %v", c.rng, announced)
		}
		if r.Count("range") != 1 || r.Count("GET blob") != 1 {
			t.Errorf("counted %v", r.Counts())
		}
	}
}

func TestUploadAndMount(t *testing.T) {
	r := New(t, Options{})
	d := digest.FromString("hello").String()
	resp := ask(t, r, "POST", "/v2/a/blobs/uploads/", "")
	at := resp.Header.Get("Location")
	if resp.StatusCode != http.StatusAccepted || at == "" {
		t.Fatal(resp.Status)
	}
	if resp = ask(t, r, "PUT", at+"?digest="+d, "wrong"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("wrong bytes: %s", resp.Status)
	}
	at = ask(t, r, "POST", "/v2/a/blobs/uploads/", "").Header.Get("Location")
	ask(t, r, "PATCH", at, "he", "Content-Range", "0-1")
	if resp = ask(t, r, "PATCH", at, "lo", "Content-Range", "3-4"); resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a gap: %s", resp.Status)
	}
	if resp = ask(t, r, "PUT", at+"?digest="+d, "llo"); resp.StatusCode != http.StatusCreated {
		t.Errorf("put: %s %s", resp.Status, text(t, resp))
	}
	if resp = ask(t, r, "HEAD", "/v2/b/blobs/"+d, ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("blobs are shared: %s", resp.Status)
	}
	if resp = ask(t, r, "POST", "/v2/b/blobs/uploads/?mount="+d+"&from=a", ""); resp.StatusCode != http.StatusCreated {
		t.Errorf("mount: %s", resp.Status)
	}
	if resp = ask(t, r, "POST", "/v2/b/blobs/uploads/?mount="+d+"&from=c", ""); resp.StatusCode != http.StatusAccepted {
		t.Errorf("mount from nowhere: %s", resp.Status)
	}
	want := map[string]int{"POST upload": 2, "PATCH upload": 2, "PUT upload": 2, "HEAD blob": 1, "mount": 2}
	for kind, n := range want {
		if r.Count(kind) != n {
			t.Errorf("%s: %d, want %d", kind, r.Count(kind), n)
		}
	}
}

func TestManifestsAreRefused(t *testing.T) {
	r := New(t, Options{RejectSparse: true, RequireSubject: true})
	lone := New(t, Options{})
	image := lone.Image("x", "v1", []byte("layer"))
	for name, document := range map[string]any{
		"blobs absent":   manifestOf(t, lone, "x", image),
		"child absent":   manifestOf(t, lone, "x", lone.Index("x", "i", image)),
		"subject absent": `{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"subject":{"digest":"` + image.Digest.String() + `"}}`,
		"another type":   `{"mediaType":"application/vnd.oci.image.layout.v1+json"}`,
	} {
		mediaType := ocispec.MediaTypeImageIndex
		if name == "blobs absent" {
			mediaType = ocispec.MediaTypeImageManifest
		}
		resp := ask(t, r, "PUT", "/v2/app/manifests/v1", document.(string), "Content-Type", mediaType)
		if resp.StatusCode/100 != 4 {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
	if len(r.Tags("app")) != 0 {
		t.Errorf("tags %v", r.Tags("app"))
	}
	if resp := ask(t, r, "PUT", "/v2/app/manifests/"+image.Digest.String(), "{}", "Content-Type", "text/json"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("wrong digest: %s", resp.Status)
	}
}

func manifestOf(t *testing.T, r *Registry, repo string, desc ocispec.Descriptor) string {
	t.Helper()
	return text(t, ask(t, r, "GET", "/v2/"+repo+"/manifests/"+desc.Digest.String(), ""))
}

func TestSHA512(t *testing.T) {
	r := New(t, Options{})
	data := `{"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
	d := digest.SHA512.FromString(data).String()
	resp := ask(t, r, "PUT", "/v2/app/manifests/"+d, data, "Content-Type", ocispec.MediaTypeImageIndex)
	if resp.StatusCode != http.StatusCreated || resp.Header.Get("Docker-Content-Digest") != d {
		t.Error(resp.Status, resp.Header)
	}
	if got := manifestOf(t, r, "app", ocispec.Descriptor{Digest: digest.Digest(d)}); got != data {
		t.Errorf("got %q", got)
	}
}

func TestTokens(t *testing.T) {
	r := New(t, Options{Token: true, Username: "u", Password: "p"})
	NewSeeder(t, r.Access()).Image("app", "v1")
	if r.Count("challenge") == 0 || r.Count("GET token") == 0 {
		t.Errorf("counted %v", r.Counts())
	}
	if resp := ask(t, r, "GET", "/v2/app/manifests/v1", ""); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %s", resp.Status)
	}
	token := r.tokens.issue([]string{"repository:app:pull"}, time.Time{})
	header := []string{"Authorization", "Bearer " + token}
	if resp := ask(t, r, "GET", "/v2/app/manifests/v1", "", header...); resp.StatusCode != http.StatusOK {
		t.Errorf("pull: %s", resp.Status)
	}
	if resp := ask(t, r, "POST", "/v2/app/blobs/uploads/", "", header...); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("push with a token to pull: %s", resp.Status)
	}
	if resp := ask(t, r, "GET", "/v2/other/manifests/v1", "", header...); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("another repository: %s", resp.Status)
	}
	r.ExpireTokens()
	if resp := ask(t, r, "GET", "/v2/app/manifests/v1", "", header...); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("expired: %s", resp.Status)
	}
}

func TestPagesHaveLinks(t *testing.T) {
	r := New(t, Options{PageSize: 2})
	for _, tag := range []string{"a", "b", "c"} {
		r.Image("app", tag)
	}
	resp := ask(t, r, "GET", "/v2/app/tags/list", "")
	if got := text(t, resp); got != `{"name":"app","tags":["a","b"]}` {
		t.Error(got)
	}
	if link := resp.Header.Get("Link"); link != `</v2/app/tags/list?last=b&n=2>; rel="next"` {
		t.Error(link)
	}
	resp = ask(t, r, "GET", "/v2/app/tags/list?last=b&n=2", "")
	if got := text(t, resp); got != `{"name":"app","tags":["c"]}` || resp.Header.Get("Link") != "" {
		t.Error(got, resp.Header)
	}
}

func TestRandomIsTheSameEverywhere(t *testing.T) {
	const want = "sha256:cc239692dab191e3f7337256b3cf87e82c3b26cd5b2a24be9394426800fb9cd3"
	got := digest.FromBytes(Random("seed", 1000)).String()
	if got != want {
		t.Errorf("got %s", got)
	}
	if bytes.Equal(Random("seed", 10), Random("other", 10)) {
		t.Error("two seeds gave the same bytes")
	}
}
