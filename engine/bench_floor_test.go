package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// bare is the floor: it sends the requests without which the work cannot be
// done, as many at once as we do, hashes each body and writes it. It knows no
// retries, no limits, no names, and believes all that it is told; what goes wrong
// is a panic.
type bare struct {
	*site
	host   string // URL
	client *http.Client
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// leaf is a tag, and what stands under it.
type leaf struct {
	repo, tag string
	manifest  []byte
	mediaType string
	blobs     []ocispec.Descriptor
}

func (f *bare) ask(method, path string, body io.Reader, size int64, header ...string) *http.Response {
	req, err := http.NewRequestWithContext(context.Background(), method, path, body)
	must(err)
	req.ContentLength = size
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := f.client.Do(req)
	must(err)
	if resp.StatusCode >= 300 {
		panic(fmt.Sprintf("%s %s: %s", method, path, resp.Status))
	}
	return resp
}

func (f *bare) get(path string) []byte {
	resp := f.ask(http.MethodGet, f.host+path, nil, 0)
	data, err := io.ReadAll(resp.Body)
	must(errors.Join(err, resp.Body.Close()))
	return data
}

// connect begins a turn with connections of its own, as a client of ours does.
func (f *bare) connect() {
	f.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency, ReadBufferSize: 64 << 10, WriteBufferSize: 64 << 10}}
}

// side does n things, as many at once as there may be requests.
func side(n int, do func(i int)) {
	var group errgroup.Group
	group.SetLimit(concurrency)
	for i := range n {
		group.Go(func() error { do(i); return nil })
	}
	must(group.Wait()) // do has no error
}

func (f *bare) each(leaves []*leaf, do func(*leaf)) {
	f.connect()
	side(len(leaves), func(i int) { do(leaves[i]) })
}

// tags lists what there is.
func (f *bare) tags() []*leaf {
	f.connect()
	var leaves []*leaf
	lists := make([][]string, len(f.repos))
	side(len(f.repos), func(i int) {
		var page struct{ Tags []string }
		must(json.Unmarshal(f.get("/v2/"+f.repos[i]+"/tags/list"), &page))
		lists[i] = page.Tags
	})
	for i, tags := range lists {
		for _, tag := range tags {
			leaves = append(leaves, &leaf{repo: f.repos[i], tag: tag})
		}
	}
	return leaves
}

// fetch reads a manifest and asks for what refers to it.
func (f *bare) fetch(l *leaf) {
	l.manifest = f.get("/v2/" + l.repo + "/manifests/" + l.tag)
	f.get("/v2/" + l.repo + "/referrers/" + l.read().String())
}

// read takes a manifest apart and returns its digest.
func (l *leaf) read() digest.Digest {
	var m ocispec.Manifest
	must(json.Unmarshal(l.manifest, &m))
	l.mediaType, l.blobs = m.MediaType, append(m.Layers, m.Config)
	return digest.FromBytes(l.manifest)
}

func (f *bare) head(l *leaf) {
	f.ask(http.MethodHead, f.host+"/v2/"+l.repo+"/manifests/"+l.tag, nil, 0).Body.Close()
}

func (f *bare) look(l *leaf) {
	resp := f.ask(http.MethodHead, f.host+"/v2/"+l.repo+"/manifests/"+l.tag, nil, 0)
	resp.Body.Close()
	f.get("/v2/" + l.repo + "/referrers/" + resp.Header.Get("Docker-Content-Digest"))
}

// copy writes the old bundle once more, checked and synced.
func (f *bare) copy() {
	out, err := os.Create(filepath.Join(f.dir, "floor"))
	must(err)
	f.read(out, sha256.New())
	must(errors.Join(out.Sync(), out.Close()))
}

func (f *bare) read(to ...io.Writer) {
	in, err := os.Open(filepath.Join(f.dir, "bundle.tgz"))
	must(err)
	_, err = io.CopyBuffer(io.MultiWriter(to...), struct{ io.Reader }{in}, make([]byte, 1<<20))
	must(errors.Join(err, in.Close()))
}

// distinct returns each blob once, and where it was met first.
func distinct(leaves []*leaf) (blobs []ocispec.Descriptor, repos map[digest.Digest]string) {
	repos = make(map[digest.Digest]string)
	for _, l := range leaves {
		for _, b := range l.blobs {
			if repos[b.Digest] == "" {
				repos[b.Digest] = l.repo
				blobs = append(blobs, b)
			}
		}
	}
	return blobs, repos
}

// download brings everything into files, or into one file, and syncs them.
func (f *bare) download(files bool) {
	leaves := f.tags()
	side(len(leaves), func(i int) { f.fetch(leaves[i]) })
	blobs, repos := distinct(leaves)
	if files {
		f.downloadFiles(leaves, blobs, repos)
		return
	}
	out, err := os.Create(filepath.Join(f.dir, "floor"))
	must(err)
	offsets := make([]int64, len(blobs)+1)
	for _, l := range leaves {
		n, err := out.WriteAt(l.manifest, offsets[0])
		must(err)
		offsets[0] += int64(n)
	}
	for i, b := range blobs {
		offsets[i+1] = offsets[i] + b.Size
	}
	side(len(blobs), func(i int) { f.bring(repos, blobs[i], io.NewOffsetWriter(out, offsets[i])) })
	must(errors.Join(out.Sync(), out.Close()))
}

func (f *bare) downloadFiles(leaves []*leaf, blobs []ocispec.Descriptor, repos map[digest.Digest]string) {
	paths := make([]string, len(leaves), len(leaves)+len(blobs))
	side(len(leaves), func(i int) {
		paths[i] = filepath.Join(f.dir, digest.FromBytes(leaves[i].manifest).Encoded())
		must(os.WriteFile(paths[i], leaves[i].manifest, 0o644))
	})
	for _, b := range blobs {
		paths = append(paths, filepath.Join(f.dir, b.Digest.Encoded()))
	}
	side(len(blobs), func(i int) {
		out, err := os.Create(paths[len(leaves)+i])
		must(err)
		f.bring(repos, blobs[i], out)
		must(out.Close())
	})
	side(len(paths), func(i int) {
		out, err := os.Open(paths[i])
		must(err)
		must(errors.Join(out.Sync(), out.Close()))
	})
}

var buffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

func (f *bare) bring(repos map[digest.Digest]string, b ocispec.Descriptor, to io.Writer) {
	resp := f.ask(http.MethodGet, f.host+"/v2/"+repos[b.Digest]+"/blobs/"+b.Digest.String(), nil, 0)
	defer resp.Body.Close()
	hash := b.Digest.Algorithm().Hash()
	buffer := buffers.Get().(*[64 << 10]byte)
	defer buffers.Put(buffer)
	_, err := io.CopyBuffer(io.MultiWriter(to, hash), struct{ io.Reader }{resp.Body}, buffer[:])
	must(err)
	if digest.NewDigest(b.Digest.Algorithm(), hash) != b.Digest {
		panic("wrong bytes of " + b.Digest)
	}
}

// stored returns the blobs in the layout of the folder.
func (f *bare) stored() []*leaf {
	in, err := store.OpenLayout(filepath.Join(f.dir, "layout"), store.OpenOptions{})
	must(err)
	defer in.Close()
	var leaves []*leaf
	for _, e := range in.Index().Entries {
		ref, err := config.ParseReference(e.Name)
		must(err)
		l := &leaf{repo: ref.Repository, tag: ref.Tag}
		l.manifest, err = store.ReadManifest(in, e.Descriptor())
		must(err)
		l.read()
		leaves = append(leaves, l)
	}
	return leaves
}

// upload sends each blob of the layout once and mounts it elsewhere.
func (f *bare) upload() {
	f.connect()
	leaves := f.stored()
	blobs, repos := distinct(leaves)
	side(len(blobs), func(i int) { f.send(repos[blobs[i].Digest], blobs[i]) })
	side(len(leaves), func(i int) {
		for _, b := range leaves[i].blobs {
			if home := repos[b.Digest]; home != leaves[i].repo {
				path := "/v2/" + leaves[i].repo + "/blobs/uploads/?mount=" + b.Digest.String() + "&from=" + home
				f.ask(http.MethodPost, f.host+path, nil, 0).Body.Close()
			}
		}
		l := leaves[i]
		f.ask(http.MethodPut, f.host+"/v2/"+l.repo+"/manifests/"+l.tag, bytes.NewReader(l.manifest), int64(len(l.manifest)),
			"Content-Type", l.mediaType).Body.Close()
	})
}

func (f *bare) send(repo string, b ocispec.Descriptor) {
	session := f.ask(http.MethodPost, f.host+"/v2/"+repo+"/blobs/uploads/", nil, 0)
	session.Body.Close()
	blob, err := os.Open(filepath.Join(f.dir, "layout", "blobs", b.Digest.Algorithm().String(), b.Digest.Encoded()))
	must(err)
	path := f.host + session.Header.Get("Location") + "?digest=" + b.Digest.String()
	f.ask(http.MethodPut, path, blob, b.Size).Body.Close()
}

// empty removes from a registry all that was restored to it.
func (f *bare) empty(target *testregistry.Registry) {
	for _, l := range f.stored() {
		for _, b := range l.blobs {
			target.Remove(l.repo, b)
		}
		target.Remove(l.repo, ocispec.Descriptor{Digest: digest.FromBytes(l.manifest)})
	}
}
