package store

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// tarOf packs files in this order: name, content, name, content, ...
func tarOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		header := &tar.Header{Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644, Typeflag: tar.TypeReg}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// badInputs are inputs that cannot be read, with their errors. They are the same for a
// file and for a pipe.
func badInputs(t *testing.T) map[string]struct {
	data []byte
	want string
} {
	s := newSample(t)
	tgz := readFile(t, s.archive(t, "x.tgz", bundle.Gzip))
	plain := readFile(t, s.archive(t, "x.tar", bundle.None))
	foreign := readFile(t, foreignTar(t, s.directory(t), gzipTar))
	return map[string]struct {
		data []byte
		want string
	}{
		"empty":                 {nil, "empty"},
		"text":                  {[]byte("hello"), "neither a directory nor a tar archive"},
		"long text":             {bytes.Repeat([]byte("hello "), 1000), "neither a directory nor a tar archive"},
		"tar of other things":   {tarOf(t, "photo.jpg", "x"), "tar archive without an OCI layout"},
		"tar without index":     {tarOf(t, "oci-layout", layoutFile), "OCI layout without an index.json"},
		"layout of the future":  {tarOf(t, "oci-layout", `{"imageLayoutVersion":"2.0.0"}`, "index.json", "{}"), `OCI layout of the unsupported version "2.0.0"`},
		"oci-layout is no JSON": {tarOf(t, "oci-layout", "x", "index.json", "{}"), "its oci-layout file is invalid"},
		"index.json is {}":      {tarOf(t, "oci-layout", layoutFile, "index.json", "{}"), `index.json has no list "manifests"`},
		"manifests are null":    {tarOf(t, "oci-layout", layoutFile, "index.json", `{"schemaVersion":2,"manifests":null}`), `index.json has no list "manifests"`},
		"index.json is broken":  {tarOf(t, "oci-layout", layoutFile, "index.json", "{"), "index.json"},
		"cut tgz":               {tgz[:len(tgz)/2], ""},
		"cut tar":               {plain[:len(plain)/2], ""},
		"cut foreign tar.gz":    {foreign[:len(foreign)/2], ""},
		"cut in the first byte": {tgz[:1], ""},
	}
}

func TestOpenLayoutErrors(t *testing.T) {
	for name, tt := range badInputs(t) {
		temp := t.TempDir()
		path := filepath.Join(t.TempDir(), "input.bin")
		writeFile(t, path, tt.data)
		l, err := OpenLayout(path, OpenOptions{TempDir: temp})
		checkInputError(t, name, path, tt.want, l, err)
		if got := names(t, temp); len(got) > 0 {
			t.Errorf("%s: left %q", name, got)
		}
	}
	folder := t.TempDir()
	absent := filepath.Join(folder, "absent")
	l, err := OpenLayout(absent, OpenOptions{})
	checkInputError(t, "absent", absent, "does not exist", l, err)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	l, err = OpenLayout(folder, OpenOptions{})
	checkInputError(t, "a folder", folder, "directory without an OCI layout", l, err)
	writeFile(t, filepath.Join(folder, bundle.LayoutFile), []byte(layoutFile))
	l, err = OpenLayout(folder, OpenOptions{})
	checkInputError(t, "a folder without index", folder, "OCI layout without an index.json", l, err)
}

func checkInputError(t *testing.T, name, path, want string, got any, err error) {
	t.Helper()
	var input *InputError
	if !errors.As(err, &input) || input.Path != path || !strings.Contains(input.Reason, want) || input.Reason == "" {
		t.Errorf("%s: %v, want %q", name, err, want)
	}
	if err != nil && strings.ContainsAny(err.Error(), "\n") {
		t.Errorf("%s: more than a line: %q", name, err)
	}
	switch got := got.(type) {
	case Layout, Input:
		t.Errorf("%s: %T beside an error", name, got)
	}
}

func TestOpenLayoutBelowTheTop(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.tar")
	writeFile(t, path, tarOf(t, "mirror/oci-layout", layoutFile, "mirror/index.json", "{}"))
	_, err := OpenLayout(path, OpenOptions{})
	if err == nil || !strings.Contains(err.Error(), "in the folder mirror") {
		t.Errorf("%v", err)
	}
}

func TestSpoolingIsReportedAndLeavesNoFile(t *testing.T) {
	s := newSample(t)
	path := foreignTar(t, s.directory(t), gzipTar)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	var told []int64
	o := OpenOptions{TempDir: temp, Spooling: func(size int64) { told = append(told, size) }}
	l := openLayoutAt(t, path, o)
	if len(told) != 1 || told[0] != info.Size() {
		t.Errorf("told of %d, not of %d", told, info.Size())
	}
	// A crash leaves nothing: the open file has no name.
	if got := names(t, temp); len(got) > 0 && runtime.GOOS != "windows" {
		t.Errorf("the folder has %q", got)
	}
	if v, err := Verify(t.Context(), l, verify.Options{}); err != nil || len(v.Faults) > 0 {
		t.Errorf("%+v, %v", v, err)
	}
	closeAll(t, l)
	if got := names(t, temp); len(got) > 0 {
		t.Errorf("left %q", got)
	}

	told = nil
	for _, path := range []string{s.archive(t, "x.tgz", bundle.Gzip), s.archive(t, "x.tar", bundle.None), foreignTar(t, s.directory(t), plainTar)} {
		openLayoutAt(t, path, o)
	}
	if len(told) > 0 || len(names(t, temp)) > 0 {
		t.Error("spooled what can be read in place")
	}
}

func TestSpoolWithoutAPlace(t *testing.T) {
	path := foreignTar(t, newSample(t).directory(t), gzipTar)
	_, err := OpenLayout(path, OpenOptions{TempDir: filepath.Join(t.TempDir(), "absent")})
	if err == nil || !strings.Contains(err.Error(), "absent") {
		t.Errorf("%v", err)
	}
}
