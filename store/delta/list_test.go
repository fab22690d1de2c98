package delta

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/store/oci"
)

// TestDeltaListsAreReadBack splits many blobs into lists and reads them.
func TestDeltaListsAreReadBack(t *testing.T) {
	c := Content{Elsewhere: map[digest.Digest]string{digest.FromString("x"): "r.example/x", digest.FromString("y"): "r.example/y"}}
	for i := range perList + 1 {
		c.Blobs = append(c.Blobs, digest.FromString(fmt.Sprint(i)))
	}
	lists := c.Lists()
	if len(lists) != 2 {
		t.Fatalf("%d lists, want 2", len(lists))
	}
	d := readLists(t, lists)
	if got := d.Held(); len(got) != len(c.Blobs) || !d.Holds(c.Blobs[7]) || d.Holds(digest.FromString("x")) {
		t.Errorf("%d blobs are held, want %d", len(got), len(c.Blobs))
	}
	if got := d.Repository(digest.FromString("y")); got != "r.example/y" {
		t.Errorf("y is in %q", got)
	}
	again := Content{Blobs: d.Held(), Elsewhere: d.Elsewhere()}.Lists()
	for i := range lists {
		if !bytes.Equal(lists[i], again[i]) {
			t.Errorf("list %d differs when it is written again", i)
		}
		if !oci.LooksLikeManifest(lists[i]) {
			t.Errorf("a pipe would not keep list %d", i)
		}
	}
}

func readLists(t *testing.T, lists [][]byte) *Delta {
	t.Helper()
	content := make(map[digest.Digest][]byte)
	x := &oci.Index{Annotations: map[string]string{oci.AnnotationBase: "sha256:1", oci.AnnotationBaseName: "monday.tgz"}}
	for _, list := range lists {
		d := digest.FromBytes(list)
		content[d] = list
		if x.Annotations[oci.AnnotationDelta] != "" {
			x.Annotations[oci.AnnotationDelta] += ","
		}
		x.Annotations[oci.AnnotationDelta] += string(d)
	}
	d, err := Read(x, func(d digest.Digest) ([]byte, error) { return content[d], nil })
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDamagedDeltaLists(t *testing.T) {
	for name, list := range map[string]string{
		"no JSON":        "no",
		"another type":   `{"mediaType":"application/json","blobs":[]}`,
		"invalid digest": `{"mediaType":"` + MediaType + `","blobs":["sha256:../../etc"]}`,
		"invalid place":  `{"mediaType":"` + MediaType + `","elsewhere":{"x":"r/a"}}`,
	} {
		x := &oci.Index{Annotations: map[string]string{oci.AnnotationBase: "sha256:1", oci.AnnotationDelta: digest.FromString(list).String()}}
		if _, err := Read(x, func(digest.Digest) ([]byte, error) { return []byte(list), nil }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	x := &oci.Index{Annotations: map[string]string{oci.AnnotationBase: "sha256:1", oci.AnnotationDelta: digest.FromString("a").String()}}
	if _, err := Read(x, func(digest.Digest) ([]byte, error) { return []byte("b"), nil }); err == nil {
		t.Error("other bytes: no error")
	}
	if d, err := Read(&oci.Index{}, nil); d != nil || err != nil {
		t.Error("a layout that is no delta has one")
	}
}
