package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/bounds"
	"github.com/oras-mirror/oras-mirror/internal/cosign"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// little sets the memory that the process may still use.
func little(t *testing.T, most int64) {
	t.Helper()
	bounds.SetMemory(most, nil)
	t.Cleanup(func() { bounds.SetMemory(0, nil) })
}

// An index.json may have most of its text in one of many places: each is bounded.
func TestIndexThatTakesTooMuchMemory(t *testing.T) {
	entry := `{"mediaType":"` + ocispec.MediaTypeImageManifest + `","digest":"` + digest.FromString("x").String() + `","size":1%s}`
	pairs := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `%q:"",`, fmt.Sprint(i))
		}
		return b.String() + `"last":""`
	}
	for name, text := range map[string]string{
		"entries":              `{"manifests":[` + strings.Repeat(fmt.Sprintf(entry, "")+",", 10_000) + fmt.Sprintf(entry, "") + `]}`,
		"annotations":          `{"manifests":[],"annotations":{` + pairs(30_000) + `}}`,
		"annotations of one":   `{"manifests":[` + fmt.Sprintf(entry, `,"annotations":{`+pairs(30_000)+`}`) + `]}`,
		"fields of one":        `{"manifests":[` + fmt.Sprintf(entry, ","+pairs(30_000)) + `]}`,
		"fields":               `{"manifests":[],` + pairs(30_000) + `}`,
		"media types":          `{"manifests":[` + fmt.Sprintf(entry, `,"artifactType":"`+strings.Repeat("x", 3<<20)+`"`) + `]}`,
		"a list":               `{"manifests":[` + fmt.Sprintf(entry, `,"annotations":{"`+oci.AnnotationRepositories+`":"`+strings.Repeat(",", 1<<20)+`"}`) + `]}`,
		"names":                `{"manifests":[` + fmt.Sprintf(entry, `,"annotations":{"`+ocispec.AnnotationRefName+`":"`+strings.Repeat("x", 3<<20)+`"}`) + `]}`,
		"one annotation again": `{"manifests":[],"annotations":{` + strings.Repeat(`"a":"`+strings.Repeat("x", 500)+`",`, 10_000) + `"a":""}}`,
	} {
		little(t, 2<<20)
		var index *oci.IndexError
		var full *bounds.MemoryError
		if _, err := oci.ReadIndex(strings.NewReader(text)); !errors.As(err, &index) || !errors.As(err, &full) {
			t.Errorf("%s: %v", name, err)
		}
		if left := bounds.Room(2<<20, 0); left != 2<<20 {
			t.Errorf("%s: of what was counted %d bytes are left", name, 2<<20-left)
		}
	}
}

// TestIndexTakesNoMoreThanIsCounted reads a thirtieth of 200,000 images and signatures under the
// tags of cosign, which have the longest names, in a thirtieth of the memory of a run.
func TestIndexTakesNoMoreThanIsCounted(t *testing.T) {
	const most = 192 << 20 / 30
	index := new(oci.Index)
	for i := range 100_000 / 30 {
		image := digest.FromString(fmt.Sprint(i))
		repository := fmt.Sprintf("registry.example.com/team%d/app", i/1000)
		for name, d := range map[string]digest.Digest{fmt.Sprintf(":v%d", i): image, ":" + cosign.Tag(image, cosign.Signature): digest.FromString(fmt.Sprint("signature of ", i))} {
			index.Entries = append(index.Entries, oci.Entry{Name: repository + name, Digest: d, MediaType: ocispec.MediaTypeImageManifest, Size: 700, Referrers: oci.ReferrersAll})
		}
	}
	var text bytes.Buffer
	if _, err := index.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	little(t, most)
	before := live()
	read, err := oci.ReadIndex(&text)
	if err != nil {
		t.Fatal(err)
	}
	counted := most - bounds.Room(most, 0)
	if taken := live() - before; taken > counted {
		t.Errorf("%d entries take %d bytes, but %d are counted", len(read.Entries), taken, counted)
	}
	runtime.KeepAlive(read)
	runtime.KeepAlive(text)
}

// TestNamesOfBlobsAreNotKept lists the blobs of a directory, and looks at the memory when the first
// one comes.
func TestNamesOfBlobsAreNotKept(t *testing.T) {
	const blobs = 4000
	path := t.TempDir()
	dir := filepath.Join(path, "blobs", "sha256")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range blobs {
		if err := os.WriteFile(filepath.Join(dir, digest.FromString(fmt.Sprint(i)).Encoded()), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before, taken, listed := live(), int64(0), 0
	for range (&folder{path: path}).blobs() {
		if listed++; listed == 1 {
			taken = live() - before
		}
	}
	if listed != blobs || taken > 90*blobs {
		t.Errorf("%d of %d blobs, %d bytes", listed, blobs, taken)
	}
}

// live returns the bytes of the heap that are in use.
func live() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestManifestOfManyValues: decoded, a manifest of "{},{},…" takes fifty times the memory
// of its text.
func TestManifestOfManyValues(t *testing.T) {
	for _, key := range []string{"manifests", "layers", "blobs", "urls", "foreign"} {
		data := []byte(`{"schemaVersion":2,"` + key + `":[` + strings.Repeat("{},", bounds.Values) + `{}]}`)
		for _, mediaType := range []string{ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, oci.MediaTypeArtifact} {
			var beyond *bounds.Error
			if _, err := oci.ParseManifest(ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data)}, data); !errors.As(err, &beyond) {
				t.Errorf("%s of a %s: %v", key, mediaType, err)
			}
		}
	}
}

// The part of a pipe that exceeds the memory goes to a disk.
func TestManifestsOfAPipeThatDoNotFitInMemoryAreSpooled(t *testing.T) {
	s := newSample(t)
	var images []ocispec.Descriptor
	for i := range 200 {
		images = append(images, s.image(t, fmt.Sprint(i), nil, []byte("layer")))
	}
	s.put(s.indexOf(t, images...), "a.com/many:v1")
	data := readFile(t, s.archive(t, "bundle.tgz", bundle.Gzip))
	little(t, 64<<10)
	spooled := 0
	in, err := OpenStream(bytes.NewReader(data), OpenOptions{TempDir: t.TempDir(), Spooling: func(int64) { spooled++ }})
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(t, in)
	l, ok := in.(Layout)
	if !ok || spooled != 1 {
		t.Fatalf("%T, spooled %d times", in, spooled)
	}
	bounds.SetMemory(0, nil)
	v, err := Verify(t.Context(), l, verify.Options{})
	if err != nil || len(v.Faults) > 0 || v.Artifacts != 3 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestVerifyThatTakesTooMuchMemoryIsAnError(t *testing.T) {
	s := newSample(t)
	for i := range 100 {
		s.put(s.image(t, fmt.Sprint(i), nil, []byte(fmt.Sprint("layer", i))), fmt.Sprintf("a.com/many:v%d", i))
	}
	l := openLayoutAt(t, s.archive(t, "bundle.tgz", bundle.Gzip), OpenOptions{})
	little(t, 16<<10)
	var full *bounds.MemoryError
	if v, err := Verify(t.Context(), l, verify.Options{}); !errors.As(err, &full) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestVerifyGivesItsMemoryBack(t *testing.T) {
	s := newSample(t)
	l := openLayoutAt(t, s.archive(t, "bundle.tgz", bundle.Gzip), OpenOptions{})
	const most = 1 << 20
	little(t, most)
	if _, err := Verify(t.Context(), l, verify.Options{}); err != nil {
		t.Fatal(err)
	}
	if left := bounds.Room(most, 0); left != most {
		t.Errorf("%d bytes are still counted", most-left)
	}
}

// A blob that only an unrecorded referrer references may be needed, so prune must not
// remove it.
func TestPruneThatTakesTooMuchMemoryRemovesNothing(t *testing.T) {
	s := newSample(t)
	root := s.index.Entries[0].Descriptor()
	for i := range 50 {
		s.put(s.image(t, fmt.Sprint("signature", i), &root, []byte(fmt.Sprint("signed", i))), "")
	}
	path := s.directory(t)
	before := names(t, path)
	for _, most := range []int64{0, 1, 3, 5, 10, 20} { // KiB beside what is open
		d, err := OpenLayoutDir(path)
		if err != nil {
			t.Fatal(err)
		}
		little(t, most<<10+1)
		var full *bounds.MemoryError
		if _, err := d.Prune(t.Context(), keeping("example.com/app:v1")); !errors.As(err, &full) {
			t.Errorf("%d KiB: %v", most, err)
		}
		bounds.SetMemory(0, nil)
		closeAll(t, d)
		if after := names(t, path); !slices.Equal(after, before) {
			t.Fatalf("%d KiB: of %d files %d are left", most, len(before), len(after))
		}
	}
}
