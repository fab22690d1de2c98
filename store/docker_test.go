package store

import (
	"archive/tar"
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/oras-mirror/oras-mirror/store/bundle"
)

// oldDockerSave returns an archive of "docker save" before version 25: layers in folders
// of their own, and links to those that two images share.
func oldDockerSave(t *testing.T, manifest string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "aaaa/"}, {Name: "aaaa/VERSION"}, {Name: "aaaa/layer.tar"},
		{Typeflag: tar.TypeSymlink, Name: "bbbb/layer.tar", Linkname: "../aaaa/layer.tar"},
		{Name: "cccc.json"}, {Name: dockerManifest}, {Name: "repositories"},
	} {
		content := "{}"
		switch {
		case h.Name == dockerManifest:
			content = manifest
		case h.Typeflag != 0:
			content = ""
		}
		h.Size = int64(len(content))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDockerArchiveIsRecognized checks the error, in a file and in a pipe, compressed and not.
func TestDockerArchiveIsRecognized(t *testing.T) {
	const image = `{"Config":"cccc.json","RepoTags":["nginx:1.25","quay.io/a/b:1"],"Layers":["aaaa/layer.tar"]}`
	for _, tt := range []struct {
		manifest string
		want     *DockerArchiveError
	}{
		{"[" + image + "]", &DockerArchiveError{Images: []string{"nginx:1.25", "quay.io/a/b:1"}}},
		{`[` + image + `,{"Config":"d.json"}]`, &DockerArchiveError{Images: []string{"nginx:1.25", "quay.io/a/b:1"}, Many: true}},
		{`[{"Config":"d.json","RepoTags":null}]`, &DockerArchiveError{}},
		{`[]`, nil}, {`{}`, nil}, {`[{}]`, nil}, {`no JSON`, nil},
	} {
		packed := oldDockerSave(t, tt.manifest)
		path := filepath.Join(t.TempDir(), "old.tar")
		writeFile(t, path, packed)
		var zipped bytes.Buffer
		w, err := gzipTar(&zipped)
		if err == nil {
			_, err = w.Write(packed)
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		o := OpenOptions{TempDir: t.TempDir()}
		_, file := OpenLayout(path, o)
		_, pipe := OpenStream(bytes.NewReader(packed), o)
		_, gz := OpenStream(bytes.NewReader(zipped.Bytes()), o)
		for kind, err := range map[string]error{"file": file, "pipe": pipe, "gzip": gz} {
			var got *DockerArchiveError
			errors.As(err, &got)
			switch {
			case (got == nil) != (tt.want == nil):
				t.Errorf("%s, %s: %v", kind, tt.manifest, err)
			case got == nil && !errors.Is(err, errNoLayout):
				t.Errorf("%s, %s: %v", kind, tt.manifest, err)
			case got != nil && (got.Many != tt.want.Many || !slices.Equal(got.Images, tt.want.Images)):
				t.Errorf("%s, %s: %+v", kind, tt.manifest, got)
			}
		}
	}
	// Since version 25 there is a layout beside manifest.json.
	files := []string{dockerManifest, "[" + image + "]", bundle.LayoutFile, layoutFile, bundle.IndexFile, emptyIndex}
	path := filepath.Join(t.TempDir(), "new.tar")
	writeFile(t, path, tarOf(t, files...))
	closeAll(t, openLayoutAt(t, path, OpenOptions{}))
}
