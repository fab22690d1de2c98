package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

const (
	// promised is what a run may take beside its buffer, whatever comes.
	promised = 128 << 20
	// untouched is what Go's runtime maps from its start and never writes to: the
	// kernel counts it, and "oras-mirror version" needs it, too.
	untouched = 64 << 20
)

// bounded runs oras-mirror as the kernel holds it to its promise: what it asks for
// beyond that it does not get, and then it crashes. RLIMIT_DATA counts what is
// written to, as a control group does; under RLIMIT_AS no Go program starts.
func (d *desk) bounded(in io.Reader, args ...string) outcome {
	d.t.Helper()
	limit := strconv.Itoa((defaultBuffer + promised + untouched) >> 10)
	got := d.run(in, "sh", append([]string{"-c", `ulimit -d "$0" && exec "$@"`, limit, program}, args...)...)
	if strings.Contains(got.stderr, "goroutine ") || got.code < 0 || got.code > 5 {
		d.t.Errorf("%.200s: exit %d\n%.3000s", got.line, got.code, got.stderr)
	}
	return got
}

// ofValues is an index or an image whose text is 16 MiB of "{},{},…".
func ofValues(mediaType, key string, n int) []byte {
	head := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"annotations":{"n":"%d"},%q:[`, mediaType, n, key)
	return []byte(head + strings.Repeat("{},", (16<<20-len(head)-8)/3) + "{}]}")
}

// hostile are manifests that take far more memory decoded than as text.
func hostile(n int) (mediaType string, data []byte) {
	pairs := func(count int) string {
		var b strings.Builder
		for i := range count {
			fmt.Fprintf(&b, `"%x":"",`, i)
		}
		return b.String() + `"":""`
	}
	switch n % 5 {
	case 0:
		return ocispec.MediaTypeImageIndex, ofValues(ocispec.MediaTypeImageIndex, "manifests", n)
	case 1:
		return ocispec.MediaTypeImageManifest, ofValues(ocispec.MediaTypeImageManifest, "layers", n)
	case 2:
		return ocispec.MediaTypeImageManifest, fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"x","digest":%q,"size":2},"layers":[],"annotations":{"n":"%d",%s}}`,
			ocispec.MediaTypeImageManifest, digest.FromString("{}"), n, pairs(1_200_000))
	case 3: // within all limits but for its length
		return ocispec.MediaTypeImageManifest, fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"x","digest":%q,"size":2},"layers":[],"annotations":{"n":"%d","x":%q}}`,
			ocispec.MediaTypeImageManifest, digest.FromString("{}"), n, strings.Repeat("x", 16<<20-400))
	default:
		child := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":2,"annotations":{"a":%q}}`, ocispec.MediaTypeImageManifest, digest.FromString("absent"), strings.Repeat("y", 1500))
		return ocispec.MediaTypeImageIndex, fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"annotations":{"n":"%d"},"manifests":[%s]}`,
			ocispec.MediaTypeImageIndex, n, strings.Repeat(child+",", 9_000)+child)
	}
}

func TestBackupOfHostileManifestsKeepsItsPromiseOfMemory(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	source.Image("app", "good", []byte("good"))
	source.Blob("app", "x", []byte("{}"))
	for n := range 20 {
		mediaType, data := hostile(n)
		source.Manifest("app", fmt.Sprint("bad", n), mediaType, data)
	}
	for _, out := range []string{"mirror/", "bundle.tgz"} {
		d := newDesk(t)
		got := d.bounded(nil, "backup", "-o", out, source.Host+"/app")
		if got.code != 3 {
			t.Errorf("%s: exit %d\n%.2000s", out, got.code, got.stderr)
		}
		for n := range 20 {
			if n%5 != 3 && !strings.Contains(got.stderr, fmt.Sprintf("%s/app:bad%d", source.Host, n)) && !strings.Contains(got.stderr, "values in one document") {
				t.Errorf("%s: bad%d is not named:\n%.3000s", out, n, got.stderr)
			}
		}
	}
}

// foreignArchive is the .tar.gz that another tool makes of such manifests. It is
// small, for what repeats is packed.
func foreignArchive(t *testing.T, index string, manifests ...[]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	add := func(name string, data []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	add("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	for _, data := range manifests {
		add("blobs/sha256/"+digest.FromBytes(data).Encoded(), data)
	}
	add("index.json", []byte(index))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func indexOf(t *testing.T, mediaTypes []string, manifests [][]byte) string {
	t.Helper()
	index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex}
	index.SchemaVersion = 2
	for i, data := range manifests {
		index.Manifests = append(index.Manifests, ocispec.Descriptor{MediaType: mediaTypes[i], Digest: digest.FromBytes(data), Size: int64(len(data)),
			Annotations: map[string]string{ocispec.AnnotationRefName: fmt.Sprintf("example.com/app:bad%d", i)}})
	}
	text, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestHostileArchivesKeepThePromiseOfMemory(t *testing.T) {
	target := testregistry.New(t, testregistry.Options{})
	var types []string
	var manifests [][]byte
	for n := range 20 {
		mediaType, data := hostile(n)
		types, manifests = append(types, mediaType), append(manifests, data)
	}
	var pairs, entries strings.Builder
	for i := range 2_000_000 {
		fmt.Fprintf(&pairs, `"%x":"",`, i)
	}
	for i := range 800_000 {
		fmt.Fprintf(&entries, `{"mediaType":%q,"digest":"sha256:%064x","size":2},`, ocispec.MediaTypeImageManifest, i)
	}
	for name, archive := range map[string][]byte{
		"manifests":   foreignArchive(t, indexOf(t, types, manifests), append(manifests, []byte("{}"))...),
		"annotations": foreignArchive(t, `{"schemaVersion":2,"manifests":[],"annotations":{`+pairs.String()+`"":""}}`),
		"entries":     foreignArchive(t, `{"schemaVersion":2,"manifests":[`+strings.TrimSuffix(entries.String(), ",")+`]}`),
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.write("hostile.tgz", string(archive))
			for _, args := range [][]string{{"verify"}, {"list"}, {"restore", target.Host + "/x"}} {
				for _, from := range []string{"hostile.tgz", "-"} {
					var in io.Reader
					if from == "-" {
						in = bytes.NewReader(archive)
					}
					got := d.bounded(in, append([]string{args[0], "--input", from}, args[1:]...)...)
					t.Logf("%s of %s from %s: exit %d: %.300s", args[0], name, from, got.code, got.stderr)
					if got.code == 0 {
						t.Errorf("%s of %s from %s: exit 0", args[0], name, from)
					}
				}
			}
		})
	}
}
