package bundle

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTools reads a bundle with what people have.
func TestTools(t *testing.T) {
	files := sample()
	dir := t.TempDir()
	path := filepath.Join(dir, "bundle.tgz")
	if err := os.WriteFile(path, write(t, Gzip, files), 0o600); err != nil {
		t.Fatal(err)
	}
	tools := [][]string{
		{"gzip", "-t", path},
		{"pigz", "-t", path},
		{"tar", "tzf", path},
		{"bsdtar", "tzf", path},
		{"busybox", "tar", "tzf", path},
		{"busybox", "gzip", "-t", path},
		{"python3", "-c", "import tarfile,sys; print('\\n'.join(tarfile.open(sys.argv[1]).getnames()))", path},
	}
	for _, tool := range tools {
		t.Run(tool[0]+" "+tool[1], func(t *testing.T) {
			if _, err := exec.LookPath(tool[0]); err != nil {
				t.Skipf("%s is not installed", tool[0])
			}
			out, err := exec.Command(tool[0], tool[1:]...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if tool[1] == "-t" || tool[1] == "gzip" {
				return
			}
			var names []string
			for _, f := range files {
				names = append(names, f.name)
			}
			if got := strings.Fields(string(out)); strings.Join(got, " ") != strings.Join(names, " ") {
				t.Errorf("lists %v, want %v", got, names)
			}
		})
	}
	t.Run("tar xzf", func(t *testing.T) {
		if out, err := exec.Command("tar", "xzf", path, "-C", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, f := range files {
			if data, err := os.ReadFile(filepath.Join(dir, f.name)); err != nil || !bytes.Equal(data, f.data) {
				t.Errorf("%s: %d bytes, %v", f.name, len(data), err)
			}
		}
	})
}
