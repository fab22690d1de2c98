package oci

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/jsonlexer"
)

func readIndex(t testing.TB, text string) *Index {
	t.Helper()
	x, err := ReadIndex(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func indexText(t testing.TB, x *Index) string {
	t.Helper()
	var b bytes.Buffer
	n, err := x.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("WriteTo = %d, %v for %d bytes", n, err, b.Len())
	}
	return b.String()
}

func entry(name, content string) Entry {
	return Entry{
		MediaType: ocispec.MediaTypeImageManifest,
		Digest:    digest.FromString(content),
		Size:      int64(len(content)),
		Name:      name,
	}
}

// descriptorText returns an entry as a tool writes it, with these annotations.
func descriptorText(annotations string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":1,"annotations":{%s}}`,
		ocispec.MediaTypeImageManifest, digest.FromString("x"), annotations)
}

// emptyIndex is the index.json of a layout that lists nothing.
const emptyIndex = `{"schemaVersion":2,"manifests":[]}`

func TestIndexWithoutManifestsIsInvalid(t *testing.T) {
	readIndex(t, emptyIndex)
	for _, text := range []string{
		`{}`, `{"schemaVersion":2}`, `{"schemaVersion":2,"manifests":null}`, `{"errors":[{"code":"DENIED"}]}`,
		`{"manifests":[],"manifests":null}`, `{"Manifests":[]}`, `{"manifests":{}}`, `{"manifests":[null]}`, `{"manifests":[{}]}`,
	} {
		x, err := ReadIndex(strings.NewReader(text))
		var index *IndexError
		if !errors.As(err, &index) || x != nil {
			t.Errorf("%s: %v, %v", text, x, err)
		}
	}
}

func TestIndexNames(t *testing.T) {
	const ref, image = `"org.opencontainers.image.ref.name":`, `"io.containerd.image.name":`
	const full = "registry.k8s.io/pause:3.10"
	for _, tt := range []struct{ annotations, want string }{
		{``, ""},
		{ref + `"v1"`, "v1"},
		{ref + `"` + full + `"`, full},
		{ref + `"v1",` + image + `"` + full + `"`, full},
		{ref + `"` + full + `",` + image + `"docker.io/library/other:v1"`, full},
		{image + `"` + full + `"`, full},
		{ref + `"pause:3.10"`, "pause:3.10"},
		{ref + `"v1",` + image + `"no reference"`, "v1"},
		{image + `"no reference"`, "no reference"},
		{ref + `"localhost/a@` + string(digest.FromString("x")) + `"`, "localhost/a@" + string(digest.FromString("x"))},
	} {
		text := `{"manifests":[` + descriptorText(tt.annotations) + `]}`
		x := readIndex(t, text)
		if got := x.Entries[0].Name; got != tt.want {
			t.Errorf("%s: name %q, want %q", tt.annotations, got, tt.want)
		}
		// The tool finds what it wrote.
		var before, after ocispec.Index
		unmarshal(t, text, &before)
		unmarshal(t, indexText(t, x), &after)
		for key, value := range before.Manifests[0].Annotations {
			if got := after.Manifests[0].Annotations[key]; got != value {
				t.Errorf("%s: %s became %q", tt.annotations, key, got)
			}
		}
	}
}

func unmarshal(t testing.TB, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func TestIndexWritesFullNamesTwice(t *testing.T) {
	x := new(Index)
	x.Put(entry("ghcr.io/acme/app:v1", "a"))
	x.Put(entry("v2", "b"))
	var got ocispec.Index
	unmarshal(t, indexText(t, x), &got)
	for i, want := range []map[string]string{
		{ocispec.AnnotationRefName: "ghcr.io/acme/app:v1", AnnotationImageName: "ghcr.io/acme/app:v1"},
		{ocispec.AnnotationRefName: "v2"},
	} {
		if fmt.Sprint(got.Manifests[i].Annotations) != fmt.Sprint(want) {
			t.Errorf("entry %d: %v, want %v", i, got.Manifests[i].Annotations, want)
		}
	}
	if got.SchemaVersion != 2 || got.MediaType != ocispec.MediaTypeImageIndex {
		t.Errorf("schemaVersion %d, mediaType %q", got.SchemaVersion, got.MediaType)
	}
}

func TestIndexKeepsWhatOthersWrote(t *testing.T) {
	text := `{"schemaVersion":2,"x-top":[1, {"a": "b c"}],"annotations":{"a":"é<"},"manifests":[{
		"mediaType":"application/vnd.oci.image.index.v1+json","digest":"` + string(digest.FromString("x")) + `","size":3,
		"platform":{"os":"linux","architecture":"amd64"},"urls":["https://example.com/\"x\""],"data":"eHh4","x":null,
		"annotations":{"z":"\u00e9\n","org.opencontainers.image.ref.name":"v1","vendor":""}}]}`
	var want, got map[string]any
	unmarshal(t, text, &want)
	want["mediaType"] = ocispec.MediaTypeImageIndex // the only thing that is added
	unmarshal(t, indexText(t, readIndex(t, text)), &got)
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if !bytes.Equal(a, b) {
		t.Errorf("got  %s\nwant %s", b, a)
	}
}

func TestIndexFieldsSurvive(t *testing.T) {
	e := entry("", "x")
	e.ArtifactType, e.Referrers, e.Platforms = "application/sbom", ReferrersIncomplete, "linux/amd64,linux/arm64"
	e.Repositories = []string{"b.io/x", "a.io/x", "b.io/x"}
	x := new(Index)
	x.Put(e)
	e.Repositories = []string{"a.io/x", "b.io/x"}
	if got := readIndex(t, indexText(t, x)).Entries[0]; fmt.Sprint(got) != fmt.Sprint(e) {
		t.Errorf("got  %v\nwant %v", got, e)
	}
}

func TestIndexOrderIsItsOwn(t *testing.T) {
	entries := []Entry{
		entry("b.io/x:1", "1"), entry("a.io/x:1", "2"), entry("", "3"), entry("", "4"), entry("a", "5"), entry("c.io/x:1", "1"),
	}
	a, b := new(Index), new(Index)
	for _, e := range entries {
		a.Put(e)
	}
	for _, e := range slices.Backward(entries) {
		b.Put(e)
	}
	if indexText(t, a) != indexText(t, b) {
		t.Error("the order of Put shows in the bytes")
	}
	var names []string
	for _, e := range readIndex(t, indexText(t, a)).Entries {
		names = append(names, e.Name)
	}
	if want := []string{"a", "a.io/x:1", "b.io/x:1", "c.io/x:1", "", ""}; !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}

func TestIndexPut(t *testing.T) {
	x := new(Index)
	x.Put(entry("a.io/x:1", "old"))
	x.Put(entry("a.io/x:1", "new"))
	if e, ok := x.Lookup("a.io/x:1"); !ok || e.Digest != digest.FromString("new") || len(x.Entries) != 1 {
		t.Errorf("%v, %v, %d entries", e, ok, len(x.Entries))
	}
	if _, ok := x.Lookup(""); ok {
		t.Error("a nameless entry has no name to be found by")
	}

	referrer := func(repositories ...string) Entry {
		e := entry("", "referrer")
		e.Repositories = repositories
		return e
	}
	x.Put(referrer("b.io/y"))
	x.Put(referrer("b.io/x", "b.io/y"))
	if got := x.Entries[1].Repositories; len(x.Entries) != 2 || !slices.Equal(got, []string{"b.io/x", "b.io/y"}) {
		t.Errorf("%d entries, repositories %q", len(x.Entries), got)
	}
	x.Put(referrer())
	if got := x.Entries[1].Repositories; got != nil {
		t.Errorf("everywhere was narrowed to %q", got)
	}
}

func TestIndexPutReplacesDoubles(t *testing.T) {
	const named = `"org.opencontainers.image.ref.name":"v1"`
	x := readIndex(t, `{"manifests":[`+descriptorText(named)+`,`+descriptorText(``)+`,`+descriptorText(named)+`]}`)
	if len(x.Entries) != 3 {
		t.Fatalf("%d entries", len(x.Entries))
	}
	x.Put(entry("v1", "new"))
	x.Put(entry("v2", "new"))
	if e, _ := x.Lookup("v1"); len(x.Entries) != 3 || e.Digest != digest.FromString("new") {
		t.Errorf("%d entries, v1 is %s", len(x.Entries), e.Digest)
	}
}

func TestIndexOthersMayAppend(t *testing.T) {
	x := new(Index)
	x.Put(entry("a", "a"))
	x.Entries = append(x.Entries, entry("b", "b"))
	if _, ok := x.Lookup("b"); !ok {
		t.Error("an entry that was appended is not found")
	}
}

func TestIndexBad(t *testing.T) {
	sum := string(digest.FromString("x"))
	manifest := func(rest string) string { return `{"manifests":[{"mediaType":"a",` + rest + `}]}` }
	for name, tt := range map[string]struct {
		text  string
		entry int
	}{
		"empty":               {``, 0},
		"null":                {`null`, 0},
		"array":               {`[]`, 0},
		"cut":                 {`{"manifests":[`, 0},
		"cut in an entry":     {`{"manifests":[{"size":1`, 1},
		"cut in a string":     {`{"manifests`, 0},
		"more behind it":      {`{} {}`, 0},
		"no comma":            {`{"manifests":[] "a":1}`, 0},
		"comma at the end":    {`{"manifests":[],}`, 0},
		"null as a key":       {`{null:1}`, 0},
		"manifests a string":  {`{"manifests":"x"}`, 0},
		"future version":      {`{"schemaVersion":3,"manifests":[]}`, 0},
		"no digest":           {manifest(`"size":1`), 1},
		"path for a digest":   {manifest(`"size":1,"digest":"sha256:../../../etc/passwd"`), 1},
		"upper case digest":   {manifest(`"size":1,"digest":"` + strings.ToUpper(sum) + `"`), 1},
		"short digest":        {manifest(`"size":1,"digest":"` + sum[:70] + `"`), 1},
		"unknown algorithm":   {manifest(`"size":1,"digest":"md5:d41d8cd98f00b204e9800998ecf8427e"`), 1},
		"negative size":       {manifest(`"size":-1,"digest":"` + sum + `"`), 1},
		"huge size":           {manifest(`"size":9007199254740993,"digest":"` + sum + `"`), 1},
		"size over int64":     {manifest(`"size":99999999999999999999,"digest":"` + sum + `"`), 1},
		"size with leading 0": {manifest(`"size":01,"digest":"` + sum + `"`), 1},
		"fraction as a size":  {manifest(`"size":1.5,"digest":"` + sum + `"`), 1},
		"string as a size":    {manifest(`"size":"1","digest":"` + sum + `"`), 1},
		"number as a name":    {`{"manifests":[` + descriptorText(`"org.opencontainers.image.ref.name":1`) + `]}`, 1},
		"two values in one":   {`{"x":[1 2]}`, 0},
		"brackets crossed":    {`{"x":[{]}}`, 0},
		"control character":   {"{\"annotations\":{\"a\":\"\n\"}}", 0},
		"nested too deep":     {`{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, 0},
		"value too large":     {`{"x":"` + strings.Repeat("a", jsonlexer.MaxValue) + `"}`, 0},
	} {
		_, err := ReadIndex(strings.NewReader(tt.text))
		var index *IndexError
		if !errors.As(err, &index) || index.Entry != tt.entry {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzIndex(f *testing.F) {
	f.Add(`{"schemaVersion":2,"manifests":[],"annotations":{"a":"b"}}`)
	f.Add(`{"manifests":[` + descriptorText(`"org.opencontainers.image.ref.name":"a.b/c:d","x":"\u00e9"`) + `,` + descriptorText(``) + `],"x":[1,{}]}`)
	f.Add(`{"manifests":[` + descriptorText(`"io.containerd.image.name":"x","io.github.oras-mirror.repositories":"b,,a"`) + `]}`)
	f.Add(indexOf(named("i", "kind", "dev.hauler/image", "org.opencontainers.image.ref.name", "a/b:c", "io.containerd.image.name", "d.e/a/b:c"),
		named("s", "kind", "dev.hauler/sigs", "org.opencontainers.image.ref.name", "a/b:c", "io.containerd.image.name", "d.e/a/b:c"),
		named("r", "kind", "dev.cosignproject.cosign/referrers/0", "org.opencontainers.image.ref.name", "a/b:c")))
	f.Add(indexOf(named("i", "kind", "dev.cosignproject.cosign/image"), named("s", "kind", "dev.cosignproject.cosign/sigs"),
		named("t", "org.opencontainers.image.ref.name", "a/b:sha256-0.sig", "io.containerd.image.name", "d.e/a/b:c")))
	f.Add(`{"x":[1 2],"y":"\ud800","z":null}`)
	f.Fuzz(func(t *testing.T, text string) {
		x, err := ReadIndex(strings.NewReader(text))
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("read what is not JSON: %q", text)
		}
		once := indexText(t, x)
		if again := indexText(t, readIndex(t, once)); again != once {
			t.Fatalf("written %s\nread and written %s", once, again)
		}
		var index ocispec.Index
		unmarshal(t, once, &struct{ Manifests *[]ocispec.Descriptor }{&index.Manifests})
	})
}

// manyEntries is the index.json of a layout with n artifacts.
func manyEntries(t testing.TB, n int) string {
	x := new(Index)
	for i := range n {
		e := entry(fmt.Sprintf("registry.example.com/team/repository-%03d:v1.%d.0", i%300, i), fmt.Sprint(i))
		e.Referrers = ReferrersAll
		x.Put(e)
	}
	return indexText(t, x)
}

func BenchmarkReadIndex(b *testing.B) {
	text := manyEntries(b, 100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		readIndex(b, text)
	}
}

func BenchmarkWriteIndex(b *testing.B) {
	x := readIndex(b, manyEntries(b, 100_000))
	b.ReportAllocs()
	for b.Loop() {
		n, _ := x.WriteTo(io.Discard)
		b.SetBytes(n)
	}
}
