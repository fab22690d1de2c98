package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// copy is the bare copier: it asks for each tag by HEAD at both sides, reads the manifest,
// streams each blob from its GET into a PUT, hashed, mounts it where else it is needed, and
// puts the manifests.
func (f *floor) copy() {
	manifests := f.tags()
	f.side(len(manifests), func(i int) {
		m := manifests[i]
		f.ask(f.Host, m)
		f.ask(f.Target, m)
		f.resolve(m)
	})
	f.deliver(manifests, func(b ocispec.Descriptor, repo string) io.ReadCloser {
		return f.get(repo, "blobs/"+b.Digest.String())
	})
}

// restore is the bare restorer: it asks for each tag at the target, and brings what a layout
// has.
func (f *floor) restore() {
	path := func(d digest.Digest) string { return filepath.Join(f.Layout, "blobs", "sha256", d.Encoded()) }
	var index ocispec.Index
	must(json.Unmarshal(readFile(filepath.Join(f.Layout, "index.json")), &index))
	manifests := make([]*found, len(index.Manifests))
	f.side(len(manifests), func(i int) {
		m := entry(index.Manifests[i])
		m.data = readFile(path(index.Manifests[i].Digest))
		must(json.Unmarshal(m.data, &m.Manifest))
		f.ask(f.Target, m)
		manifests[i] = m
	})
	f.deliver(manifests, func(b ocispec.Descriptor, _ string) io.ReadCloser {
		file, err := os.Open(path(b.Digest))
		must(err)
		return file
	})
}

func readFile(path string) []byte {
	data, err := os.ReadFile(path)
	must(err)
	return data
}

// entry returns the repository and the tag of an entry of an index.json.
func entry(d ocispec.Descriptor) *found {
	_, name, _ := strings.Cut(d.Annotations[ocispec.AnnotationRefName], "/")
	m := new(found)
	m.repo, m.tag, _ = strings.Cut(name, ":")
	return m
}

// deliver brings blobs and manifests to the target. A blob is mounted where else it is needed.
func (f *floor) deliver(manifests []*found, open func(b ocispec.Descriptor, repo string) io.ReadCloser) {
	var blobs []ocispec.Descriptor
	homes := make(map[string][]string)
	for _, m := range manifests {
		for _, b := range append(m.Layers, m.Config) {
			d := b.Digest.String()
			if homes[d] == nil {
				blobs = append(blobs, b)
			}
			if !slices.Contains(homes[d], m.repo) {
				homes[d] = append(homes[d], m.repo)
			}
		}
	}
	f.side(len(blobs), func(i int) {
		repos := homes[blobs[i].Digest.String()]
		f.push(blobs[i], repos[0], open(blobs[i], repos[0]))
		for _, repo := range repos[1:] {
			f.post(repo, "?mount="+blobs[i].Digest.String()+"&from="+repos[0])
		}
	})
	f.side(len(manifests), func(i int) { f.putManifest(manifests[i]) })
}

func (f *floor) putManifest(m *found) {
	req, err := http.NewRequest(http.MethodPut, "http://"+f.Target+"/v2/"+m.repo+"/manifests/"+m.tag, bytes.NewReader(m.data))
	must(err)
	req.Header.Set("Content-Type", m.MediaType)
	f.do(req)
}

func (f *floor) ask(host string, m *found) {
	resp, err := f.client.Head("http://" + host + "/v2/" + m.repo + "/manifests/" + m.tag)
	must(err)
	resp.Body.Close()
}

func (f *floor) do(req *http.Request) *http.Response {
	resp, err := f.client.Do(req)
	must(err)
	if resp.StatusCode/100 != 2 {
		panic(fmt.Sprintf("%s %s: %s", req.Method, req.URL, resp.Status))
	}
	_, err = io.Copy(io.Discard, resp.Body)
	must(errors.Join(err, resp.Body.Close()))
	return resp
}

func (f *floor) post(repo, query string) *http.Response {
	req, err := http.NewRequest(http.MethodPost, "http://"+f.Target+"/v2/"+repo+"/blobs/uploads/"+query, nil)
	must(err)
	return f.do(req)
}

// push streams one blob into the target.
func (f *floor) push(b ocispec.Descriptor, repo string, body io.ReadCloser) {
	opened := f.post(repo, "")
	at, err := opened.Location()
	must(err)
	query := at.Query()
	query.Set("digest", b.Digest.String())
	at.RawQuery = query.Encode()
	hash := sha256.New()
	req, err := http.NewRequest(http.MethodPut, at.String(), io.TeeReader(body, hash))
	must(err)
	req.ContentLength = b.Size
	f.do(req)
	must(body.Close())
	if hex.EncodeToString(hash.Sum(nil)) != b.Digest.Encoded() {
		panic("wrong bytes of " + b.Digest)
	}
}
