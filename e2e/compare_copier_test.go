package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

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
		f.carry(blobs[i], repos[0])
		for _, repo := range repos[1:] {
			f.post(repo, "?mount="+blobs[i].Digest.String()+"&from="+repos[0])
		}
	})
	f.side(len(manifests), func(i int) {
		m := manifests[i]
		req, err := http.NewRequest(http.MethodPut, "http://"+f.Target+"/v2/"+m.repo+"/manifests/"+m.tag, bytes.NewReader(m.data))
		must(err)
		req.Header.Set("Content-Type", m.MediaType)
		f.do(req)
	})
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

// carry copies one blob.
func (f *floor) carry(b ocispec.Descriptor, repo string) {
	opened := f.post(repo, "")
	at, err := opened.Location()
	must(err)
	query := at.Query()
	query.Set("digest", b.Digest.String())
	at.RawQuery = query.Encode()
	body := f.get(repo, "blobs/"+b.Digest.String())
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
