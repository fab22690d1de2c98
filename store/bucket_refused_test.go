package store

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// refuse answers all writes of an object with an error, once the store has passed the check.
func refuse(file string, status int, code string) func(testbucket.Call) *testbucket.Fault {
	return func(c testbucket.Call) *testbucket.Fault {
		if c.Method == http.MethodPut && strings.HasSuffix(c.Key, file) {
			return testbucket.Status(status, code)
		}
		return nil
	}
}

// addEntry adds an artifact to a layout, and commits.
func addEntry(t *testing.T, b *Bucket, text string) error {
	t.Helper()
	i := newItem(ocispec.MediaTypeImageManifest, fmt.Appendf(nil, `{"text":%q}`, text))
	if err := b.Push(i.desc, i.data); err != nil {
		t.Fatal(err)
	}
	b.Index().Put(oci.Entry{MediaType: i.desc.MediaType, Digest: i.desc.Digest, Size: i.desc.Size, Name: "example.com/app:" + text, Referrers: oci.ReferrersAll})
	return b.Commit(t.Context())
}

// TestBucketRefusesForever has a store that never writes an object of a layout.
func TestBucketRefusesForever(t *testing.T) {
	for _, tt := range []struct {
		status  int
		code    string
		refused bool
	}{{412, "PreconditionFailed", true}, {409, "ConditionalRequestConflict", false}, {404, "NoSuchKey", true}} {
		t.Run(tt.code, func(t *testing.T) {
			server := testbucket.New(t)
			b := openBucketAt(t, server.Path("layout/"), CreateOptions{Buckets: impatient})
			for _, text := range []string{"first", "second"} {
				server.Inject(refuse(bundle.IndexFile, tt.status, tt.code))
				err := addEntry(t, b, text)
				if _, ok := errors.AsType[*RefusedError](err); err == nil || ok != tt.refused {
					t.Errorf("%s: %v", text, err)
				}
				server.Inject(nil)
				if err := b.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestPruneListIsRefusedForever has the store refuse to write prune.json, to a writer that
// uses a listed blob, and to prune itself.
func TestPruneListIsRefusedForever(t *testing.T) {
	server := testbucket.New(t)
	path := server.Path("layout/")
	b := openBucketAt(t, path, CreateOptions{Buckets: impatient})
	if err := addEntry(t, b, "kept"); err != nil {
		t.Fatal(err)
	}
	blob := newItem("", []byte("listed"))
	if err := b.Push(blob.desc, blob.data); err != nil {
		t.Fatal(err)
	}
	prune := func() error {
		p, err := OpenLayoutBucket(path, CreateOptions{Buckets: impatient})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Prune(t.Context(), PruneOptions{Keep: func(string) bool { return true }})
		return err
	}
	server.Inject(refuse(pruneFile, http.StatusPreconditionFailed, "PreconditionFailed"))
	if err := prune(); !errors.As(err, new(*RefusedError)) {
		t.Errorf("prune: %v", err)
	}
	server.Inject(nil)
	if err := prune(); err != nil {
		t.Fatal(err)
	}
	b = openBucketAt(t, path, CreateOptions{Buckets: impatient})
	if !b.Has(blob.desc) {
		t.Fatal("the blob is gone")
	}
	server.Inject(refuse(pruneFile, http.StatusPreconditionFailed, "PreconditionFailed"))
	if err := addEntry(t, b, "uses it"); !errors.As(err, new(*RefusedError)) {
		t.Errorf("a writer: %v", err)
	}
}
