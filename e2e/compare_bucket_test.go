package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
)

// bucketPart is the size of the parts of a bundle in a bucket.
const bucketPart = 16 << 20

// bucket returns a client of the bucket in the environment, which signs requests and retries
// none.
func (f *floor) bucket() *minio.Core {
	at, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	must(err)
	core, err := minio.NewCore(at.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(testbucket.AccessKey, testbucket.SecretKey, ""),
		Region:       os.Getenv("AWS_REGION"),
		BucketLookup: minio.BucketLookupPath,
		MaxRetries:   1,
		Transport:    f.client.Transport,
	})
	must(err)
	return core
}

// putObjects is the bare uploader of a layout: each manifest and blob is an object, which
// is streamed from its GET into a PUT, hashed. The list of them comes last.
func (f *floor) putObjects() {
	manifests, blobs := f.survey()
	core := f.bucket()
	put := func(key, sum string, body io.Reader, size int64) {
		_, err := core.PutObject(context.Background(), testbucket.Name, "layout/"+key, body, size, "", sum, minio.PutObjectOptions{})
		must(err)
	}
	f.side(len(manifests), func(i int) {
		sum := strings.TrimPrefix(manifests[i].digest, "sha256:")
		put("blobs/sha256/"+sum, sum, bytes.NewReader(manifests[i].data), int64(len(manifests[i].data)))
	})
	f.side(len(blobs), func(i int) {
		body := f.get(blobs[i].repo, "blobs/"+blobs[i].Digest.String())
		hash := sha256.New()
		put("blobs/sha256/"+blobs[i].Digest.Encoded(), blobs[i].Digest.Encoded(), io.TeeReader(body, hash), blobs[i].Size)
		must(body.Close())
		if hex.EncodeToString(hash.Sum(nil)) != blobs[i].Digest.Encoded() {
			panic("wrong bytes of " + blobs[i].Digest)
		}
	})
	f.putIndex(manifests, put)
}

func (f *floor) putIndex(manifests []*found, put func(key, sum string, body io.Reader, size int64)) {
	var index ocispec.Index
	for _, m := range manifests {
		index.Manifests = append(index.Manifests, ocispec.Descriptor{
			MediaType: m.MediaType, Digest: digest.Digest(m.digest), Size: int64(len(m.data)),
			Annotations: map[string]string{ocispec.AnnotationRefName: m.repo + ":" + m.tag},
		})
	}
	text, err := json.Marshal(index)
	must(err)
	sum := sha256.Sum256(text)
	put("index.json", hex.EncodeToString(sum[:]), bytes.NewReader(text), int64(len(text)))
}

// putObject is the bare uploader of one object: manifests and blobs one behind the other, in
// parts that are sent when all of their bytes are there.
func (f *floor) putObject() {
	manifests, blobs := f.survey()
	var head []byte
	for _, m := range manifests {
		head = append(head, m.data...)
	}
	total := int64(len(head))
	for _, b := range blobs {
		total += b.Size
	}
	u := &bareUpload{core: f.bucket(), total: total}
	u.begin()
	_, err := io.NewOffsetWriter(u, 0).Write(head)
	must(err)
	f.side(len(blobs), func(i int) { f.bring(blobs[i], io.NewOffsetWriter(u, blobs[i].offset)) })
	u.complete()
}

// bareUpload is an object that is uploaded in parts, from any goroutine.
type bareUpload struct {
	core  *minio.Core
	total int64
	id    string
	parts []barePart
	done  []minio.CompletePart
}

type barePart struct {
	once sync.Once
	data []byte
	left atomic.Int64
}

func (u *bareUpload) begin() {
	var err error
	u.id, err = u.core.NewMultipartUpload(context.Background(), testbucket.Name, "bare.bin", minio.PutObjectOptions{})
	must(err)
	u.parts = make([]barePart, (u.total+bucketPart-1)/bucketPart)
	u.done = make([]minio.CompletePart, len(u.parts))
	for i := range u.parts {
		u.parts[i].left.Store(u.size(i))
	}
}

func (u *bareUpload) size(i int) int64 { return min(bucketPart, u.total-int64(i)*bucketPart) }

func (u *bareUpload) WriteAt(p []byte, offset int64) (int, error) {
	written := len(p)
	for len(p) > 0 {
		i := int(offset / bucketPart)
		part, within := &u.parts[i], offset%bucketPart
		part.once.Do(func() { part.data = make([]byte, u.size(i)) })
		n := copy(part.data[within:], p)
		if part.left.Add(-int64(n)) == 0 {
			u.send(i)
		}
		p, offset = p[n:], offset+int64(n)
	}
	return written, nil
}

func (u *bareUpload) send(i int) {
	part := &u.parts[i]
	done, err := u.core.PutObjectPart(context.Background(), testbucket.Name, "bare.bin", u.id, i+1,
		bytes.NewReader(part.data), int64(len(part.data)), minio.PutObjectPartOptions{DisableContentSha256: true})
	must(err)
	u.done[i] = minio.CompletePart{PartNumber: i + 1, ETag: done.ETag}
	part.data = nil
}

func (u *bareUpload) complete() {
	_, err := u.core.CompleteMultipartUpload(context.Background(), testbucket.Name, "bare.bin", u.id, u.done, minio.PutObjectOptions{})
	must(err)
}

// take is the bare restorer of one artifact out of a layout in a bucket: it streams the blobs
// from their GETs into PUTs to the target, hashed, and puts the manifest.
func (f *floor) take() {
	core := f.bucket()
	open := func(key string) io.ReadCloser {
		body, _, _, err := core.GetObject(context.Background(), testbucket.Name, "layout/"+key, minio.GetObjectOptions{})
		must(err)
		return body
	}
	var index ocispec.Index
	must(json.Unmarshal(drain(open("index.json")), &index))
	var one *found
	for _, d := range index.Manifests {
		if m := entry(d); m.repo == "team/app1" && m.tag == "v1" {
			one = m
			one.data = drain(open("blobs/sha256/" + d.Digest.Encoded()))
		}
	}
	must(json.Unmarshal(one.data, &one.Manifest))
	f.ask(f.Target, one)
	f.deliver([]*found{one}, func(b ocispec.Descriptor, _ string) io.ReadCloser {
		return open("blobs/sha256/" + b.Digest.Encoded())
	})
}

func drain(body io.ReadCloser) []byte {
	data, err := io.ReadAll(body)
	must(errors.Join(err, body.Close()))
	return data
}
