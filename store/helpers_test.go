package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// emptyIndex is the index.json of a layout that lists nothing.
const emptyIndex = `{"schemaVersion":2,"manifests":[]}`

func entry(name, content string) oci.Entry {
	return oci.Entry{
		MediaType: ocispec.MediaTypeImageManifest,
		Digest:    digest.FromString(content),
		Size:      int64(len(content)),
		Name:      name,
	}
}

// manyEntries is the index.json of a layout with n artifacts.
func manyEntries(t testing.TB, n int) string {
	x := new(oci.Index)
	for i := range n {
		e := entry(fmt.Sprintf("registry.example.com/team/repository-%03d:v1.%d.0", i%300, i), fmt.Sprint(i))
		e.Referrers = oci.ReferrersAll
		x.Put(e)
	}
	return indexText(t, x)
}

func indexText(t testing.TB, x *oci.Index) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := x.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func unmarshal(t testing.TB, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}
