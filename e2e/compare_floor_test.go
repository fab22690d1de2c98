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
	Target      string // a registry to copy to
	Repos       []string
	Referrers   bool   // asks for those of each manifest
	Output      string // a file, or a folder if Files; or one of the other things to do
	Files       bool   // each blob in a file of its own
	Layout      string // the folder to restore from
	Known       string // a file with the blobs that there are already
	Connections int
	Ranges      bool // fetches the blobs one after the other, each by ranges

	client *http.Client
}

// fall is the process of a floor.
func fall() {
	var f floor
	must(json.Unmarshal([]byte(os.Args[1]), &f))
	f.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: f.Connections, ReadBufferSize: 64 << 10}}
	switch f.Output {
	case "copy":
		f.copy()
	case "restore":
		f.restore()
	case "know":
		f.know()
	case "pull":
		f.pull()
	case "put-objects":
		f.putObjects()
	case "put-object":
		f.putObject()
	case "take":
		f.take()
	default:
		f.download()
	}
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

// wanted is a blob, and where it goes in a file that begins with the manifests.
type wanted struct {
	ocispec.Descriptor
	repo   string
	offset int64
}

// survey asks for all tags and returns their manifests, and each of their blobs once, those
// that are known left out.
func (f *floor) survey() (manifests []*found, blobs []wanted) {
	manifests = f.tags()
	f.side(len(manifests), func(i int) { f.resolve(manifests[i]) })
	met := f.known()
	var offset int64
	for _, m := range manifests {
		offset += int64(len(m.data))
	}
	for _, m := range manifests {
		for _, b := range append(m.Layers, m.Config) {
			if !met[b.Digest.String()] {
				met[b.Digest.String()] = true
				blobs = append(blobs, wanted{Descriptor: b, repo: m.repo, offset: offset})
				offset += b.Size
			}
		}
	}
	return manifests, blobs
}

// know writes the digests of all blobs to a file, as JSON.
func (f *floor) know() {
	_, blobs := f.survey()
	known := make(map[string]int64)
	for _, b := range blobs {
		known[b.Digest.String()] = b.Size
	}
	data, err := json.Marshal(known)
	must(err)
	must(os.WriteFile("known.json", data, 0o644))
}

// known reads such a file.
func (f *floor) known() map[string]bool {
	met := make(map[string]bool)
	for d := range f.sizes() {
		met[d] = true
	}
	return met
}

func (f *floor) sizes() map[string]int64 {
	sizes := make(map[string]int64)
	if f.Known != "" {
		must(json.Unmarshal(readFile(f.Known), &sizes))
	}
	return sizes
}

func (f *floor) download() {
	manifests, blobs := f.survey()
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
	if f.Ranges {
		for _, b := range blobs {
			f.bringRanges(b, io.NewOffsetWriter(out, b.offset))
		}
	} else {
		f.side(len(blobs), func(i int) { f.bring(blobs[i], io.NewOffsetWriter(out, blobs[i].offset)) })
	}
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

// bringRanges fetches ranges of a blob side by side, and hashes them in order.
func (f *floor) bringRanges(b wanted, to io.WriterAt) {
	const length = 16 << 20
	n := int((b.Size + length - 1) / length)
	turns := make([]chan struct{}, n+1)
	for i := range turns {
		turns[i] = make(chan struct{})
	}
	close(turns[0])
	hash := sha256.New()
	f.side(n, func(i int) {
		from := int64(i) * length
		data := make([]byte, min(length, b.Size-from))
		req, err := http.NewRequest(http.MethodGet, "http://"+f.Host+"/v2/"+b.repo+"/blobs/"+b.Digest.String(), nil)
		must(err)
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", from, from+int64(len(data))-1))
		resp, err := f.client.Do(req)
		must(err)
		_, err = io.ReadFull(resp.Body, data)
		must(errors.Join(err, resp.Body.Close()))
		_, err = to.WriteAt(data, from)
		must(err)
		<-turns[i]
		hash.Write(data)
		close(turns[i+1])
	})
	if hex.EncodeToString(hash.Sum(nil)) != b.Digest.Encoded() {
		panic("wrong bytes of " + b.Digest)
	}
}
