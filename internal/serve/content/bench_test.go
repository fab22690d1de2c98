package content

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store"
)

// manyArtifacts writes the index.json of n artifacts with a referrer each; there are no
// blobs, since no start reads one.
func manyArtifacts(tb testing.TB, n int) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o600); err != nil {
		tb.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, "index.json"))
	if err != nil {
		tb.Fatal(err)
	}
	out := bufio.NewWriter(file)
	out.WriteString(`{"schemaVersion":2,"manifests":[`)
	const manifest = `{"mediaType":"application/vnd.oci.image.manifest.v1+json",`
	for i := range n {
		name := fmt.Sprintf("registry.example.com/team%03d/app:v1.%d", i/1000, i)
		fmt.Fprintf(out, "%s\"digest\":%q,\"size\":500,\"annotations\":{\"io.containerd.image.name\":%q,\"io.github.oras-mirror.referrers\":\"all\",\"org.opencontainers.image.ref.name\":%[3]q}},\n",
			manifest, digest.FromString(fmt.Sprint(i)), name)
	}
	for i := range n {
		fmt.Fprintf(out, "%s\"artifactType\":\"application/vnd.example.sbom\",\"digest\":%q,\"size\":700,\"annotations\":{\"io.github.oras-mirror.repositories\":\"registry.example.com/team%03d/app\",\"io.github.oras-mirror.subject\":%q}}",
			manifest, digest.FromString(fmt.Sprint("referrer", i)), i/1000, digest.FromString(fmt.Sprint(i)))
		if i < n-1 {
			out.WriteString(",\n")
		}
	}
	out.WriteString("]}\n")
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// optionsOf returns the options for a directory.
func optionsOf(tb testing.TB, dir string) Options {
	tb.Helper()
	place, err := store.At(dir, store.OpenOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return Options{Inputs: []store.Place{place}}
}

// BenchmarkStart compares the start of 100,000 artifacts with a referrer each with reading
// their index.json, which every command does.
func BenchmarkStart(b *testing.B) {
	dir := manyArtifacts(b, 100_000)
	b.Run("index.json", func(b *testing.B) {
		for b.Loop() {
			l, err := store.OpenLayout(dir, store.OpenOptions{})
			if err != nil {
				b.Fatal(err)
			}
			store.ForgetIndex(l)
		}
	})
	b.Run("serve", func(b *testing.B) {
		for b.Loop() {
			in, err := Open(b.Context(), optionsOf(b, dir))
			if err != nil {
				b.Fatal(err)
			}
			in.Close()
		}
	})
}

// TestTableIsCompact holds the memory of the table of 100,000 artifacts with a referrer each.
func TestTableIsCompact(t *testing.T) {
	const n = 100_000
	in, err := Open(t.Context(), optionsOf(t, manyArtifacts(t, n)))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if artifacts, repositories := in.Size(); artifacts != n || repositories != n/1000 {
		t.Errorf("%d artifacts in %d repositories", artifacts, repositories)
	}
	if got := in.current.memory; got > 300*n {
		t.Errorf("%d bytes an artifact", got/n)
	}
}
