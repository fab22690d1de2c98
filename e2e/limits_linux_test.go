package e2e

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/skipped"
	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

const (
	// promised is the memory that a run may take beside its buffer, whatever comes.
	promised = 128 << 20
)

// bounded runs oras-mirror as the kernel holds it to its promise: what it asks for
// beyond that it does not get, and then it crashes. RLIMIT_DATA counts all that is
// mapped to be written to, 64 MiB among it that Go's runtime never uses: it is stricter
// than a control group. Under RLIMIT_AS no Go program starts.
func (d *desk) bounded(in io.Reader, args ...string) outcome {
	d.t.Helper()
	limit := strconv.Itoa((defaultBuffer + promised) >> 10)
	got := d.run(in, "sh", append([]string{"-c", `ulimit -d "$0" && exec "$@"`, limit, program}, args...)...)
	if strings.Contains(got.stderr, "goroutine ") || got.code < 0 || got.code > 5 {
		d.t.Errorf("%.200s: exit %d\n%.3000s", got.line, got.code, got.stderr)
	}
	return got
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

// TestHostileListsAtOnceKeepThePromiseOfMemory: each that cannot be read is named.
func TestHostileListsAtOnceKeepThePromiseOfMemory(t *testing.T) {
	host := hostileLists(t)
	var tags, manifests []string
	for n := range 8 {
		tags = append(tags, fmt.Sprintf("%s/tags%d", host, n))
		manifests = append(manifests, fmt.Sprintf("%s/list%d:good", host, n), fmt.Sprintf("%s/values%d:bad", host, n))
	}
	const head = "apiVersion: oras-mirror/v1alpha1\nkind: Mirror\nsources:\n- "
	for name, sources := range map[string][]string{"tags": tags, "referrers and manifests": manifests, "all": append(slices.Clone(tags), manifests...)} {
		for _, command := range [][]string{{"backup", "-o", "mirror/"}, {"plan", "-o", "mirror/"}, {"lock"}} {
			t.Run(name+" "+command[0], func(t *testing.T) {
				d := newDesk(t)
				d.write("mirror.yaml", head+strings.Join(sources, "\n- ")+"\n")
				got := d.bounded(nil, append(command, "-f", "mirror.yaml")...)
				if got.code != 1 && got.code != 3 {
					t.Errorf("exit %d", got.code)
				}
				for _, source := range sources {
					if !strings.Contains(got.stderr, strings.Replace(source, ":good", "", 1)) {
						t.Errorf("%s is not named in:\n%.3000s", source, got.stderr)
					}
				}
			})
		}
	}
	t.Run("a catalog", func(t *testing.T) {
		d := newDesk(t)
		d.write("mirror.yaml", head+"registry: "+host+"\n")
		if got := d.bounded(nil, "backup", "-f", "mirror.yaml", "-o", "mirror/"); got.code != 1 || !strings.Contains(got.stderr, host+": list repositories") {
			t.Errorf("exit %d\n%.3000s", got.code, got.stderr)
		}
	})
}

// foreignArchive is the .tar.gz that another tool makes of such manifests. It is
// small, for what repeats is packed, by a program: compress/flate needs minutes for it
// under the race detector.
func foreignArchive(t *testing.T, index string, manifests ...[]byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	gzip := exec.CommandContext(t.Context(), skipped.Without(t, "gzip"), "-1")
	gzip.Stdout = &packed
	out, err := gzip.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := gzip.Start(); err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(out)
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
	if err := errors.Join(w.Close(), out.Close(), gzip.Wait()); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
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
	var entries strings.Builder
	for i := range 800_000 {
		fmt.Fprintf(&entries, `{"mediaType":%q,"digest":"sha256:%064x","size":2},`, ocispec.MediaTypeImageManifest, i)
	}
	for name, archive := range map[string][]byte{
		"manifests":   foreignArchive(t, indexOf(t, types, manifests), append(manifests, []byte("{}"))...),
		"annotations": foreignArchive(t, `{"schemaVersion":2,"manifests":[],"annotations":{`+string(pairs(2_000_000))+`"":""}}`),
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

// TestBucketKeepsThePromiseOfMemory backs up more large blobs at once than the memory has
// room for parts of.
func TestBucketKeepsThePromiseOfMemory(t *testing.T) {
	server := testbucket.New(t)
	source := testregistry.New(t, testregistry.Options{})
	var layers [][]byte
	for n := range 6 {
		layers = append(layers, testregistry.Random(fmt.Sprint(n), 70<<20))
	}
	source.Image("app", "v1", layers...)
	for _, name := range []string{"layout/", "bundle.tgz"} {
		newDesk(t).bounded(nil, "backup", "-o", server.Path(name), source.Host+"/app:v1").exits(0)
	}
}

// TestLargeBucketKeepsThePromiseOfMemory adds an artifact to a layout of 100,000 others, whose
// index.json is read, written with one request, and read again.
func TestLargeBucketKeepsThePromiseOfMemory(t *testing.T) {
	server := testbucket.NewInMemory(t)
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	source.Image("app", "v1", []byte("new"))
	size := fillBucket(t, server, "layout/", 100_000)
	layout := server.Path("layout/")
	newDesk(t).bounded(nil, "backup", "-o", layout, source.Host+"/app:v1").exits(0)
	if written := server.Objects.Size("layout/index.json"); written <= size {
		t.Fatalf("index.json has %d bytes after a backup, %d before", written, size)
	}
	newDesk(t).bounded(nil, "backup", "-o", layout, source.Host+"/app:v1").exits(0)
	newDesk(t).bounded(nil, "diff", layout, source.Host+"/app:v1")
	newDesk(t).bounded(nil, "restore", "--input", layout, "--only", source.Host+"/app:v1", target.Host+"/x").exits(0)
}

// fillBucket makes a layout of artifacts in one repository, each of a manifest and a blob that
// nothing reads. It returns the size of index.json.
func fillBucket(t *testing.T, server *testbucket.Server, prefix string, artifacts int) int {
	t.Helper()
	index, content := new(oci.Index), bytes.Repeat([]byte("x"), 700)
	put := func(name string) digest.Digest {
		d := digest.FromString(name)
		server.Objects.Put(prefix+"blobs/sha256/"+d.Encoded(), content)
		return d
	}
	for i := range artifacts {
		put(fmt.Sprint("blob ", i))
		index.Put(oci.Entry{MediaType: ocispec.MediaTypeImageManifest, Digest: put(fmt.Sprint("manifest ", i)), Size: int64(len(content)),
			Name: fmt.Sprintf("registry.example.com/team/many:v%d", i), Referrers: oci.ReferrersAll})
	}
	var text bytes.Buffer
	if _, err := index.WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	server.Objects.Put(prefix+"oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
	server.Objects.Put(prefix+"index.json", text.Bytes())
	return text.Len()
}
