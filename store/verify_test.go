package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/disk"
	"github.com/oras-mirror/oras-mirror/store/bundle"
	"github.com/oras-mirror/oras-mirror/store/oci"
	"github.com/oras-mirror/oras-mirror/store/verify"
)

// verdict is the result of Verify and VerifyStream for the same layout; both must agree.
func verdict(t *testing.T, s *sample) *verify.Result {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.tar")
	a := createArchive(t, path, bundle.None)
	for _, m := range s.manifests {
		a.have[m.desc.Digest] = true // bytes that PutManifest would refuse are wanted here
		if err := errors.Join(a.begin(), a.out.Put(bundle.BlobName(m.desc.Digest), m.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.PutIndex(s.index); err != nil {
		t.Fatal(err)
	}
	for _, b := range s.blobs {
		if err := a.out.Put(bundle.BlobName(b.desc.Digest), b.data); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Commit(false); err != nil {
		t.Fatal(err)
	}
	random, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{Jobs: 3})
	if err != nil {
		t.Fatal(err)
	}
	compareStream(t, path, random)
	return random
}

func compareStream(t *testing.T, path string, random *verify.Result) {
	t.Helper()
	in, err := OpenStream(bytes.NewReader(readFile(t, path)), OpenOptions{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	s, ok := in.(*Stream)
	if !ok {
		return
	}
	once, err := VerifyStream(t.Context(), s, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(faultKeys(once), faultKeys(random)) || once.Blobs != random.Blobs || once.Bytes != random.Bytes ||
		once.LeftOver != random.LeftOver || once.Artifacts != random.Artifacts || once.Referrers != random.Referrers {
		t.Errorf("as a stream: %+v\nat random:   %+v", once, random)
	}
}

func faultKeys(v *verify.Result) []string {
	var keys []string
	for _, f := range v.Faults {
		keys = append(keys, f.Reference+" "+string(f.Digest))
	}
	slices.Sort(keys)
	return keys
}

func TestVerify(t *testing.T) {
	s := newSample(t)
	left := newItem("", []byte("left over"))
	s.blobs = append(s.blobs, left)
	var bytes int64
	for _, b := range s.all() {
		bytes += b.desc.Size
	}
	r := verdict(t, s)
	want := verify.Result{Artifacts: 2, Referrers: 2, Blobs: len(s.all()) - 1, Bytes: bytes - left.desc.Size, LeftOver: 1}
	if len(r.Faults) > 0 || r.Artifacts != want.Artifacts || r.Referrers != want.Referrers ||
		r.Blobs != want.Blobs || r.Bytes != want.Bytes || r.LeftOver != want.LeftOver {
		t.Errorf("got  %+v\nwant %+v", *r, want)
	}
}

// drop removes an item by its digest, and returns the rest.
func drop(items []item, d digest.Digest) []item {
	return slices.DeleteFunc(slices.Clone(items), func(i item) bool { return i.desc.Digest == d })
}

func TestVerifyFindsFaults(t *testing.T) {
	const v1, amd = "example.com/app:v1", "example.com/app:amd64"
	for name, tt := range map[string]struct {
		harm func(s *sample) digest.Digest // returns the blob at fault
		want []string                      // the references that it concerns
	}{
		"a corrupt layer of two images": {func(s *sample) digest.Digest {
			s.blobs[1].data = bytes.Clone(s.blobs[1].data)
			s.blobs[1].data[7_000] ^= 1
			return s.blobs[1].desc.Digest
		}, []string{amd, v1}},
		"a missing layer": {func(s *sample) digest.Digest {
			d := s.blobs[3].desc.Digest
			s.blobs = drop(s.blobs, d)
			return d
		}, []string{amd, v1}},
		"a truncated layer": {func(s *sample) digest.Digest {
			s.blobs[3].data = s.blobs[3].data[:4000]
			return s.blobs[3].desc.Digest
		}, []string{amd, v1}},
		"a missing child": {func(s *sample) digest.Digest {
			d := s.manifests[1].desc.Digest
			s.manifests = drop(s.manifests, d)
			return d
		}, []string{v1}},
		"a corrupt child": {func(s *sample) digest.Digest {
			s.manifests[1].data = bytes.Replace(s.manifests[1].data, []byte("sha256:"), []byte("sha256;"), 1)
			return s.manifests[1].desc.Digest
		}, []string{v1}},
		"a missing root": {func(s *sample) digest.Digest {
			d := s.manifests[0].desc.Digest
			s.manifests = drop(s.manifests, d)
			return d
		}, []string{amd, v1}},
		"two sizes for one blob": {func(s *sample) digest.Digest {
			m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: s.blobs[0].desc}
			m.Config.Size++
			s.put(s.manifest(t, m), "a.com/other:v1")
			return s.blobs[0].desc.Digest
		}, []string{"a.com/other:v1"}},
		"a root that is no manifest": {func(s *sample) digest.Digest {
			bad := newItem(ocispec.MediaTypeImageManifest, []byte(`{"schemaVersion":"two","layers":7}`))
			s.manifests = append(s.manifests, bad)
			s.put(bad.desc, "a.com/bad:v1")
			return bad.desc.Digest
		}, []string{"a.com/bad:v1"}},
	} {
		s := newSample(t)
		d := tt.harm(s)
		var want []string
		for _, reference := range tt.want {
			want = append(want, reference+" "+string(d))
		}
		slices.Sort(want)
		if got := faultKeys(verdict(t, s)); !slices.Equal(got, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", name, got, want)
		}
	}
}

func TestVerifySaysWhatIsWrong(t *testing.T) {
	s := newSample(t)
	path := s.directory(t)
	blob := func(d digest.Digest) string { return filepath.Join(path, filepath.FromSlash(bundle.BlobName(d))) }
	corrupt, missing, short := s.blobs[1].desc, s.blobs[3].desc, s.blobs[5].desc
	data := readFile(t, blob(corrupt.Digest))
	data[5] ^= 1
	writeFile(t, blob(corrupt.Digest), data)
	if err := errors.Join(os.Remove(blob(missing.Digest)), os.Truncate(blob(short.Digest), 7)); err != nil {
		t.Fatal(err)
	}
	r, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[digest.Digest]error)
	for _, f := range r.Faults {
		seen[f.Digest] = f.Err
	}
	var mismatch *oci.MismatchError
	if err := seen[corrupt.Digest]; !errors.As(err, &mismatch) || mismatch.Size != corrupt.Size || mismatch.Digest == corrupt.Digest {
		t.Errorf("corrupt: %v", err)
	}
	if err := seen[short.Digest]; !errors.As(err, &mismatch) || mismatch.Size != 7 {
		t.Errorf("short: %v", err)
	}
	var gone *verify.MissingError
	if err := seen[missing.Digest]; !errors.As(err, &gone) {
		t.Errorf("missing: %v", err)
	}
	if len(seen) != 3 {
		t.Errorf("%v", seen)
	}
}

func TestVerifyUnknownSubject(t *testing.T) {
	s := newSample(t)
	subject := newItem(ocispec.MediaTypeImageManifest, []byte("elsewhere")).desc
	lost := s.image(t, "lost", &subject, []byte("signed"))
	s.put(lost, "")
	s.put(s.image(t, "named", &subject, []byte("signed")), "example.com/signature:v1") // asked for by itself
	r := verdict(t, s)
	var unknown *verify.SubjectError
	if len(r.Faults) != 1 || r.Faults[0].Digest != lost.Digest || r.Faults[0].Reference != string(lost.Digest) ||
		!errors.As(r.Faults[0].Err, &unknown) || unknown.Subject != subject.Digest {
		t.Errorf("%v", r.Faults)
	}
	if r.Referrers != 3 || r.Artifacts != 3 {
		t.Errorf("%d referrers, %d artifacts", r.Referrers, r.Artifacts)
	}
}

func TestVerifySparseIndexes(t *testing.T) {
	for platforms, faults := range map[string]int{"": 1, "linux/amd64": 0, "linux/arm64": 1, "linux/arm64/v8": 1, "linux/amd64,windows/amd64": 0} {
		s := newSample(t)
		s.manifests = drop(s.manifests, s.manifests[1].desc.Digest)
		for i := range s.index.Entries {
			s.index.Entries[i].Platforms = platforms
		}
		if r := verdict(t, s); len(r.Faults) != faults {
			t.Errorf("%q: %v", platforms, r.Faults)
		}
	}
}

// TestVerifyKnowsEverySpellingOfAPlatform removes one image of an index: verify misses it if
// the entry selects its platform, however the index and the entry spell that.
func TestVerifyKnowsEverySpellingOfAPlatform(t *testing.T) {
	for _, tt := range []struct {
		entry, image string
		want         bool
	}{
		{"linux/amd64", "linux/x86_64", true}, {"linux/arm64", "Linux/aarch64", true},
		{"linux/arm/v7", "linux/arm/7", true}, {"linux/arm/v7", "linux/arm", true}, {"linux/arm/v6", "linux/arm", false},
		{"linux/arm64/v8", "linux/arm64", true}, {"linux/arm64/v8", "linux/arm64/v9", false},
		{"linux/amd64,linux/arm64/v9", "linux/arm64/v9", true}, {"linux/amd64/v1", "linux/amd64/v3", false},
		{"linux/x86_64", "linux/amd64", true}, {"Linux/AARCH64", "linux/arm64", true}, {"linux/arm64/8", "linux/arm64", true},
		{"linux/arm/7", "linux/arm/v7", true}, {"windows/amd64,linux/i386", "linux/386", true}, {"all", "linux/s390x", true},
		{"linux/x86_64", "linux/arm64", false}, {"linux", "linux/amd64", false},
	} {
		s := newSample(t)
		part := append(strings.Split(tt.image, "/"), "")
		gone := newItem(ocispec.MediaTypeImageManifest, []byte("gone")).desc
		gone.Platform = &ocispec.Platform{OS: part[0], Architecture: part[1], Variant: part[2]}
		index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{gone}}
		s.put(s.manifest(t, index), "example.com/sparse:v1")
		s.index.Entries[len(s.index.Entries)-1].Platforms = tt.entry
		if r := verdict(t, s); (len(r.Faults) == 1) != tt.want {
			t.Errorf("%s of an entry that selects %s is gone: %v", tt.image, tt.entry, r.Faults)
		}
	}
}

// TestVerifySparseAttestations: an attestation is selected with its image, and no other way.
func TestVerifySparseAttestations(t *testing.T) {
	for name, tt := range map[string]struct {
		image *ocispec.Platform
		of    string // what the image is itself
		want  int
	}{
		"of a selected image":               {&ocispec.Platform{OS: "linux", Architecture: "x86_64"}, "", 1},
		"of another image":                  {&ocispec.Platform{OS: "linux", Architecture: "arm64"}, "", 0},
		"of an image for whatever platform": {nil, "", 1},
		"of an image for unknown":           {&ocispec.Platform{OS: "unknown", Architecture: "unknown"}, "", 1},
		"of an attestation":                 {&ocispec.Platform{OS: "unknown", Architecture: "unknown"}, "attestation-manifest", 0},
	} {
		s := newSample(t)
		image := s.blobs[0].desc
		image.Platform = tt.image
		if tt.of != "" {
			image.Annotations = map[string]string{"vnd.docker.reference.type": tt.of}
		}
		gone := newItem(ocispec.MediaTypeImageManifest, []byte("gone")).desc
		gone.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
		gone.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.Digest.String()}
		index := ocispec.Index{MediaType: ocispec.MediaTypeImageIndex, Manifests: []ocispec.Descriptor{image, gone}}
		s.put(s.manifest(t, index), "example.com/sparse:v1")
		s.index.Entries[len(s.index.Entries)-1].Platforms = "linux/amd64"
		if r := verdict(t, s); len(r.Faults) != tt.want {
			t.Errorf("%s: %v", name, r.Faults)
		}
	}
}

// A manifest that was not selected but is present is verified, and is not left over.
func TestVerifyMoreThanASparseIndexNeeds(t *testing.T) {
	s := newSample(t)
	for i := range s.index.Entries {
		s.index.Entries[i].Platforms = "linux/amd64"
	}
	if r := verdict(t, s); len(r.Faults) > 0 || r.LeftOver > 0 {
		t.Errorf("%+v", r)
	}
	s.blobs[5].data = s.blobs[5].data[1:]
	if r := verdict(t, s); len(r.Faults) == 0 {
		t.Error("a fault in what was not selected is not seen")
	}
}

// A subject must be a manifest: a layer with its digest is not enough.
func TestVerifySubjectThatIsABlob(t *testing.T) {
	s := newSample(t)
	subject := s.blobs[0].desc
	s.put(s.image(t, "lost", &subject, []byte("signed")), "")
	if r := verdict(t, s); len(r.Faults) != 1 {
		t.Errorf("%v", r.Faults)
	}
}

// Layers that a registry need not have may be absent; if present, they count.
func TestVerifyForeignLayers(t *testing.T) {
	for name, urls := range map[string][]string{"with an address": {"https://example.com/layer"}, "without": nil} {
		s := newSample(t)
		absent := newItem("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", []byte("absent")).desc
		absent.URLs = urls
		m := ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: s.blobs[0].desc, Layers: []ocispec.Descriptor{absent}}
		s.put(s.manifest(t, m), "example.com/windows:v1")
		if r := verdict(t, s); (len(r.Faults) == 0) != (urls != nil) {
			t.Errorf("%s: %v", name, r.Faults)
		}
	}
}

func TestVerifyCancelled(t *testing.T) {
	path := newSample(t).directory(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := verify.Options{Progress: func(int64) { cancel() }}
	if r, err := Verify(ctx, openLayoutAt(t, path, OpenOptions{}), o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestVerifyProgress(t *testing.T) {
	s := newSample(t)
	var read atomic.Int64
	r, err := Verify(t.Context(), openLayoutAt(t, s.directory(t), OpenOptions{}), verify.Options{Progress: func(n int64) { read.Add(n) }})
	if err != nil || read.Load() != r.Bytes {
		t.Errorf("heard of %d bytes of %d, %v", read.Load(), r.Bytes, err)
	}
}

// TestKindOfAManifestComesFromItsBytes: the kind comes from its media type, else from its
// structure, else from a descriptor.
func TestKindOfAManifestComesFromItsBytes(t *testing.T) {
	child := `{"mediaType":"x","size":1,"digest":"` + string(digest.FromString("a")) + `"}`
	image, index, docker, list := ocispec.MediaTypeImageManifest, ocispec.MediaTypeImageIndex, oci.MediaTypeDockerManifest, oci.MediaTypeDockerList
	for _, tt := range []struct {
		declared, text, want    string
		index, known, undecided bool
	}{
		{image, `{"mediaType":"` + index + `","manifests":[` + child + `]}`, index, true, true, false},
		{index, `{"mediaType":"` + docker + `","layers":[` + child + `]}`, docker, false, true, false},
		{image, `{"manifests":[` + child + `]}`, index, true, true, true},
		{list, `{"manifests":[` + child + `]}`, list, true, true, true},
		{strings.ToUpper(list) + " ; charset=utf-8", `{"manifests":[]}`, list, true, true, true},
		{"application/json", `{"manifests":[]}`, index, true, true, true},
		{"", `{"config":` + child + `,"layers":[]}`, image, false, true, true},
		{index, `{"layers":[` + child + `]}`, image, false, true, true},
		{image, `{"blobs":[` + child + `]}`, oci.MediaTypeArtifact, false, true, true},
		{"x/y", `{"mediaType":"a/b","manifests":[` + child + `]}`, "a/b", true, true, false},
		{index, `{"manifests":[` + child + `],"layers":[` + child + `]}`, index, true, true, true},
		{docker, `{"manifests":[` + child + `],"layers":[` + child + `]}`, docker, false, true, true},
		{"x/y", `{"manifests":[` + child + `],"layers":[` + child + `]}`, "x/y", false, false, true},
		{"x/y", `{"layers":[{"blob":"sha256:aa"}],"config":"text"}`, "x/y", false, false, true},
		{docker, `{"schemaVersion":2}`, docker, false, true, true},
		{"x/y", `{"schemaVersion":2,"mediaType":"a/b"}`, "a/b", false, false, true},
		{"x/y", `text`, "x/y", false, false, true},
	} {
		m, err := oci.ParseManifest(ocispec.Descriptor{MediaType: tt.declared}, []byte(tt.text))
		if err != nil || m.MediaType != tt.want || m.IsIndex() != tt.index || m.IsKnown() != tt.known || m.IsDeclared() != tt.undecided {
			t.Errorf("%q, %s: %q, index %v, known %v, declared %v, %v", tt.declared, tt.text, m.MediaType, m.IsIndex(), m.IsKnown(), m.IsDeclared(), err)
		}
	}
}

func TestSuccessors(t *testing.T) {
	d := func(s string) string {
		return `{"mediaType":"x","size":1,"digest":"` + string(digest.FromString(s)) + `"}`
	}
	for name, tt := range map[string]struct {
		mediaType, text string
		want            []string
		subject         string
		bad             bool
	}{
		"image":                       {ocispec.MediaTypeImageManifest, `{"config":` + d("c") + `,"layers":[` + d("l") + `,` + d("m") + `],"subject":` + d("s") + `}`, []string{"c", "l", "m"}, "s", false},
		"image, no config":            {ocispec.MediaTypeImageManifest, `{"layers":[` + d("l") + `]}`, []string{"l"}, "", false},
		"docker":                      {oci.MediaTypeDockerManifest, `{"config":` + d("c") + `,"layers":[` + d("l") + `]}`, []string{"c", "l"}, "", false},
		"index":                       {ocispec.MediaTypeImageIndex, `{"manifests":[` + d("a") + `],"subject":` + d("s") + `}`, []string{"a"}, "s", false},
		"list":                        {oci.MediaTypeDockerList, `{"manifests":[` + d("a") + `]}`, []string{"a"}, "", false},
		"retired artifact":            {oci.MediaTypeArtifact, `{"blobs":[` + d("b") + `],"subject":` + d("s") + `}`, []string{"b"}, "s", false},
		"type in the bytes":           {"", `{"mediaType":"` + ocispec.MediaTypeImageIndex + `","manifests":[` + d("a") + `]}`, []string{"a"}, "", false},
		"anything else":               {"text/plain", `hello`, nil, "", false},
		"layers of an index are none": {"", `{"mediaType":"` + ocispec.MediaTypeImageIndex + `","layers":[` + d("l") + `]}`, nil, "", false},
		"no JSON":                     {ocispec.MediaTypeImageManifest, `hello`, nil, "", true},
		"bad digest":                  {ocispec.MediaTypeImageManifest, `{"layers":[{"digest":"sha256:../x","size":1}]}`, nil, "", true},
		"bad subject":                 {ocispec.MediaTypeImageManifest, `{"subject":{"digest":"","size":1}}`, nil, "", true},
		"negative size":               {ocispec.MediaTypeImageIndex, `{"manifests":[{"digest":"` + string(digest.FromString("a")) + `","size":-1}]}`, nil, "", true},
	} {
		children, subject, err := Successors(ocispec.Descriptor{MediaType: tt.mediaType}, []byte(tt.text))
		if (err != nil) != tt.bad {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		var want []digest.Digest
		for _, s := range tt.want {
			want = append(want, digest.FromString(s))
		}
		var got []digest.Digest
		for _, c := range children {
			got = append(got, c.Digest)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v", name, got)
		}
		if (subject == nil) != (tt.subject == "") || subject != nil && subject.Digest != digest.FromString(tt.subject) {
			t.Errorf("%s: subject %v", name, subject)
		}
	}
}

// TestWrongSizeBlamesTheLiarAlone: two artifacts share a layer and an image, and one gives
// wrong sizes.
func TestWrongSizeBlamesTheLiarAlone(t *testing.T) {
	path := t.TempDir() + "/layout"
	dir, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(mediaType string, data string) ocispec.Descriptor {
		desc := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromString(data), Size: int64(len(data))}
		if err := dir.Push(desc, []byte(data)); err != nil {
			t.Fatal(err)
		}
		return desc
	}
	text := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	name := func(name string, d ocispec.Descriptor) {
		dir.Index().Put(oci.Entry{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size, Name: name})
	}
	layer := put(ocispec.MediaTypeImageLayer, "layer")
	wrong := layer
	wrong.Size = 3
	image := put(ocispec.MediaTypeImageManifest, text(map[string]any{"schemaVersion": 2, "layers": []any{layer}}))
	larger := image
	larger.Size++
	name("example.com/a:image", image)
	name("example.com/a:index", put(ocispec.MediaTypeImageIndex, text(map[string]any{"schemaVersion": 2, "manifests": []any{image}})))
	name("example.com/a:liar1", put(ocispec.MediaTypeImageManifest, text(map[string]any{"schemaVersion": 2, "layers": []any{wrong}})))
	name("example.com/a:liar2", put(ocispec.MediaTypeImageManifest, text(map[string]any{"schemaVersion": 2, "layers": []any{layer, wrong}})))
	name("example.com/a:liar3", put(ocispec.MediaTypeImageIndex, text(map[string]any{"schemaVersion": 2, "manifests": []any{larger}})))
	if err := errors.Join(dir.Commit(t.Context()), dir.Close()); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		v, err := Verify(t.Context(), openLayoutAt(t, path, OpenOptions{}), verify.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var blamed []string
		for _, f := range v.Faults {
			blamed = append(blamed, strings.TrimPrefix(f.Reference, "example.com/a:"))
		}
		if slices.Sort(blamed); !slices.Equal(blamed, []string{"liar1", "liar2", "liar3"}) {
			t.Errorf("blamed: %v", v.Faults)
		}
	}
}

// shortOf is a layout in a process that cannot open more files.
type shortOf struct{ Layout }

func (shortOf) Open(digest.Digest) (Blob, error) {
	return nil, &fs.PathError{Op: "open", Path: "blob", Err: syscall.EMFILE}
}

func TestTooManyOpenFilesAreNoFault(t *testing.T) {
	l := openLayoutAt(t, newSample(t).directory(t), OpenOptions{})
	if v, err := Verify(t.Context(), shortOf{l}, verify.Options{}); !disk.IsTooManyFiles(err) {
		t.Errorf("%+v, %v", v, err)
	}
}
