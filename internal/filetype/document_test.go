package filetype

import (
	"os"
	"path/filepath"
	"testing"
)

// TestIsManifest recognizes manifests, and no documents of ours.
func TestIsManifest(t *testing.T) {
	for text, want := range map[string]bool{
		"apiVersion: apps/v1\nkind: Deployment\n":                        true,
		"# a comment\n---\n{\"apiVersion\": \"v1\", \"kind\": \"List\"}": true,
		"apiVersion: oras-mirror/v1alpha1\nkind: Mirror\n":               false,
		"apiVersion: v1alpha1\nkind: Mirror\n":                           false,
		"apiVersion: oras-mirror/v1alpha1\nkind: MirrorLock\n":           false,
		"kind: Deployment\n":                                             false, "": false,
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := IsManifest(path); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestDocumentsAreKnown recognizes our documents, valid or not, and no other files.
func TestDocumentsAreKnown(t *testing.T) {
	for text, want := range map[string]Kind{
		"apiVersion: oras-mirror/v1alpha1\nkind: Mirror\n":                          Spec,
		"# a comment\n---\nkind: Mirror\n'apiVersion': 'oras-mirror/v9'\nsorces: x": Spec,
		"apiVersion: oras-mirror/v1alpha1\nkind: MirrorLock\n":                      Lock,
		"{\"apiVersion\": \"oras-mirror/v1alpha1\", \"kind\": \"Mirror\"}":          Spec,
		"{\n  \"apiVersion\": \"oras-mirror/v1alpha1\",\n  \"kind\": \"Report\",\n": Report,
		"{\n  \"apiVersion\": \"oras-mirror/v1alpha1\",\n  \"kind\": \"Plan\",\n":   Unknown,
		"# images\n\n  docker.io/library/alpine:3.20 # small\nnonsense here":        List,
		"registry.k8s.io/pause:3.9,3.10":                                            List,
		"apiVersion: v1\nkind: ConfigMap\n":                                         Unknown,
		"# nothing\n":                                                               Unknown, "": Unknown, "Some notes.": Unknown, "\x1f\x8b\x08\x00docker.io/library/alpine": Unknown,
		"{\"schemaVersion\": 2}": Unknown,
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := Document(path); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}
