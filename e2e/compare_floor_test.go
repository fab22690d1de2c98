package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"
)

// floor is a bare downloader: it sends the requests without which the work
// cannot be done, as many at once as we do, hashes each body, writes it and
// syncs what it wrote. It knows no retries and believes what it is told; what
// goes wrong is a panic. Its fields are the task of a process of its own.
type floor struct {
	Host        string
	Target      string // a registry to copy to, with Output "copy"
	Repos       []string
	Referrers   bool   // asks for those of each manifest
	Output      string // a file, or a folder if Files
	Files       bool   // each blob in a file of its own
	Connections int

	client *http.Client
}

// fall is the process of a floor.
func fall() {
	var f floor
	must(json.Unmarshal([]byte(os.Args[1]), &f))
	f.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: f.Connections, ReadBufferSize: 64 << 10}}
	if f.Output == "copy" {
		f.copy()
		return
	}
	f.download()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// side does n things side by side.
func (f *floor) side(n int, do func(i int)) {
	var group errgroup.Group
	group.SetLimit(f.Connections)
	for i := range n {
		group.Go(func() error { do(i); return nil })
	}
	must(group.Wait())
}

func (f *floor) get(repo, path string) io.ReadCloser {
	resp, err := f.client.Get("http://" + f.Host + "/v2/" + repo + "/" + path)
	must(err)
	if resp.StatusCode != http.StatusOK {
		panic(fmt.Sprintf("%s/%s: %s", repo, path, resp.Status))
	}
	return resp.Body
}

func (f *floor) read(repo, path string) []byte {
	body := f.get(repo, path)
	data, err := io.ReadAll(body)
	must(errors.Join(err, body.Close()))
	return data
}

// found is one tag.
type found struct {
	repo, tag string
	digest    string
	data      []byte
	ocispec.Manifest
}

func (f *floor) tags() []*found {
	var all []*found
	for _, repo := range f.Repos {
		var page struct{ Tags []string }
		must(json.Unmarshal(f.read(repo, "tags/list"), &page))
		for _, tag := range page.Tags {
			all = append(all, &found{repo: repo, tag: tag})
		}
	}
	return all
}

func (f *floor) resolve(m *found) {
	m.data = f.read(m.repo, "manifests/"+m.tag)
	must(json.Unmarshal(m.data, &m.Manifest))
	sum := sha256.Sum256(m.data)
	m.digest = "sha256:" + hex.EncodeToString(sum[:])
	if f.Referrers {
		f.read(m.repo, "referrers/"+m.digest)
	}
}

// wanted is a blob, and where it goes.
type wanted struct {
	ocispec.Descriptor
	repo   string
	offset int64
}

func (f *floor) download() {
	manifests := f.tags()
	f.side(len(manifests), func(i int) { f.resolve(manifests[i]) })
	var blobs []wanted
	var offset int64
	met := make(map[string]bool)
	for _, m := range manifests {
		offset += int64(len(m.data))
		for _, b := range append(m.Layers, m.Config) {
			if !met[b.Digest.String()] {
				met[b.Digest.String()] = true
				blobs = append(blobs, wanted{Descriptor: b, repo: m.repo})
			}
		}
	}
	if f.Files {
		f.intoFiles(manifests, blobs)
		return
	}
	out, err := os.Create(f.Output)
	must(err)
	for _, m := range manifests {
		_, err := out.Write(m.data)
		must(err)
	}
	for i := range blobs {
		blobs[i].offset = offset
		offset += blobs[i].Size
	}
	f.side(len(blobs), func(i int) { f.bring(blobs[i], io.NewOffsetWriter(out, blobs[i].offset)) })
	must(errors.Join(out.Sync(), out.Close()))
}

func (f *floor) intoFiles(manifests []*found, blobs []wanted) {
	must(os.MkdirAll(f.Output, 0o755))
	var paths []string
	for _, m := range manifests {
		paths = append(paths, filepath.Join(f.Output, m.digest[len("sha256:"):]))
	}
	f.side(len(manifests), func(i int) { must(os.WriteFile(paths[i], manifests[i].data, 0o644)) })
	for _, b := range blobs {
		paths = append(paths, filepath.Join(f.Output, b.Digest.Encoded()))
	}
	f.side(len(blobs), func(i int) {
		out, err := os.Create(paths[len(manifests)+i])
		must(err)
		f.bring(blobs[i], out)
		must(out.Close())
	})
	f.side(len(paths), func(i int) {
		out, err := os.Open(paths[i])
		must(err)
		must(errors.Join(out.Sync(), out.Close()))
	})
}

func (f *floor) bring(b wanted, to io.Writer) {
	body := f.get(b.repo, "blobs/"+b.Digest.String())
	hash := sha256.New()
	_, err := io.CopyBuffer(io.MultiWriter(to, hash), struct{ io.Reader }{body}, make([]byte, min(b.Size+1, 64<<10)))
	must(errors.Join(err, body.Close()))
	if hex.EncodeToString(hash.Sum(nil)) != b.Digest.Encoded() {
		panic("wrong bytes of " + b.Digest)
	}
}
