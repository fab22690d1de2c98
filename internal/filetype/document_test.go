package filetype

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDocumentsAreKnown tells our documents, valid or not, from whatever else is there.
func TestDocumentsAreKnown(t *testing.T) {
	for text, want := range map[string]string{
		"apiVersion: oras-mirror/v1alpha1\nkind: Mirror\n":                          aSpec,
		"# a comment\n---\nkind: Mirror\n'apiVersion': 'oras-mirror/v9'\nsorces: x": aSpec,
		"apiVersion: oras-mirror/v1alpha1\nkind: MirrorLock\n":                      ALock,
		"{\"apiVersion\": \"oras-mirror/v1alpha1\", \"kind\": \"Mirror\"}":          aSpec,
		"{\n  \"apiVersion\": \"oras-mirror/v1alpha1\",\n  \"kind\": \"Report\",\n": AReport,
		"# images\n\n  docker.io/library/alpine:3.20 # small\nnonsense here":        aList,
		"registry.k8s.io/pause:3.9,3.10":                                            aList,
		"apiVersion: v1\nkind: ConfigMap\n":                                         "",
		"# nothing\n":                                                               "", "": "", "Some notes.": "", "\x1f\x8b\x08\x00docker.io/library/alpine": "",
		"{\"schemaVersion\": 2}": "",
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Document(path); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
