package serve

import (
	"bytes"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store/bucket"
)

// TestReplacedInputs: a request that is under way ends on what it began with, the next one
// has the new content.
func TestReplacedInputs(t *testing.T) {
	for _, input := range []string{"bundle.tgz", "layout/", inBucket + "bundle.tgz", inBucket + "layout/"} {
		t.Run(input, func(t *testing.T) {
			huge := append([]byte{0x1f, 0x8b}, testregistry.Random("huge", 24<<20)...) // more than sockets hold
			w := newWorld(t)
			w.backup(input, "registry.example", func(s *testregistry.Seeder) { s.Image("team/app", "v1", huge) })
			s := w.serve(input)
			under := s.held("/v2/team/app/blobs/" + digest.FromBytes(huge).String())
			s.Inputs.Refresh(t.Context())
			if said := s.saidAll(); said != "" {
				t.Error(said)
			}

			other, output := newWorld(t), path.Base(input)
			if strings.HasSuffix(input, "/") {
				output += "/"
			}
			other.backup(output, "registry.example", func(s *testregistry.Seeder) { hub("team/app", "v2", "new")(s); hub("team/more", "v1", "new")(s) })
			w.replace(input, other.path(output))
			s.get("/v2/team/more/manifests/v1").is(t, "before it is noticed", 404, "NAME_UNKNOWN")
			s.Inputs.Refresh(t.Context())
			if a := s.get("/v2/team/more/manifests/v1"); a.status != 200 {
				t.Error(a)
			}
			s.get("/v2/team/app/manifests/v1").is(t, "what is gone", 404, "MANIFEST_UNKNOWN")
			if said := s.saidAll(); said != "the input has changed: now 2 artifacts in 2 repositories" {
				t.Error(said)
			}
			got, err := io.ReadAll(under.Body)
			if err != nil || !bytes.Equal(got, huge) {
				t.Errorf("the request that was under way: %d bytes, %v", len(got), err)
			}
		})
	}
}

// replace puts the files of another input of its kind in place of those of an input, with
// index.json at the end.
func (w *world) replace(input, other string) {
	w.t.Helper()
	var files []string
	err := filepath.WalkDir(other, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != "oras-mirror.lock" && entry.Name() != "index.json" {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if strings.HasSuffix(input, "/") {
		files = append(files, filepath.Join(other, "index.json"))
	}
	for _, file := range files {
		rest, _ := filepath.Rel(other, file)
		w.put(strings.TrimSuffix(input+filepath.ToSlash(rest), "."), file)
	}
}

// put puts a file in the place of another one, or of an object.
func (w *world) put(name, file string) {
	w.t.Helper()
	key, isObject := strings.CutPrefix(name, inBucket)
	if !isObject {
		if err := os.Rename(file, w.path(name)); err != nil {
			w.t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := bucket.New(testbucket.Name, bucket.Options{})
	if err == nil {
		_, err = c.Put(w.t.Context(), key, data, bucket.Condition{})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
