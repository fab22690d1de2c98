package cli

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/delta"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// secondTrip makes base.tgz and full.tgz of a registry, before and after changes to it, and
// delta.tgz, which has what the second lacks in the first. More is beside.tgz, with nothing in
// common with them.
func secondTrip(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	r := testregistry.New(t, testregistry.Options{})
	one := r.Image("team/app", "v1", testregistry.Random("a", 3000), testregistry.Random("b", 100))
	r.Index("team/app", "multi", one)
	gone := r.Image("team/app", "gone", testregistry.Random("gone", 900))
	r.Image("team/beside", "v1", testregistry.Random("beside", 100))
	pull(t, "backup", "-o", dir+"/base.tgz", r.Host+"/team/app")
	pull(t, "backup", "-o", dir+"/beside.tgz", r.Host+"/team/beside")
	r.Remove("team/app", gone)
	moved := r.Image("team/app", "v1", testregistry.Random("a", 3000), testregistry.Random("new", 100))
	r.Referrer("team/app", moved, "application/vnd.example.signature", []byte("signature"))
	pull(t, "backup", "-o", dir+"/full.tgz", r.Host+"/team/app")
	makeDelta(t, dir+"/delta.tgz", dir+"/full.tgz", dir+"/base.tgz")
	return dir
}

// pull runs a command that must succeed, and returns what it prints.
func pull(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := try(t, "", args...)
	if code != 0 {
		t.Fatalf("%v: exit code %d\n%s", args, code, stderr)
	}
	return stdout
}

func openAt(t *testing.T, path string) store.Layout {
	t.Helper()
	l, err := store.OpenLayout(path, store.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// makeDelta writes the blobs that full has and base has not.
func makeDelta(t *testing.T, path, full, base string) {
	t.Helper()
	in, before := openAt(t, full), openAt(t, base)
	out, err := store.Create(path, store.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	a := out.(*store.Archive)
	survey, err := store.NewSurvey(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	var blobs []ocispec.Descriptor
	var content delta.Content
	for desc := range survey.Manifests() {
		data, err := store.ReadManifest(in, desc)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.PutManifest(desc, data); err != nil {
			t.Fatal(err)
		}
		for _, b := range survey.BlobsOf(desc, data) {
			if _, err := before.Stat(b.Digest); err != nil {
				blobs, content.Blobs = append(blobs, b), append(content.Blobs, b.Digest)
			}
		}
	}
	list := content.Lists()[0]
	if err := a.PutManifest(ocispec.Descriptor{Digest: digest.FromBytes(list), Size: int64(len(list))}, list); err != nil {
		t.Fatal(err)
	}
	index := new(oci.Index)
	index.PutAll(in.Index(), func(oci.Entry) bool { return true })
	index.Annotations = maps.Collect(maps.All(map[string]string{oci.AnnotationBase: string(before.Index().RootsDigest(nil)),
		oci.AnnotationBaseName: filepath.Base(base), oci.AnnotationDelta: string(digest.FromBytes(list))}))
	if err := a.PutIndex(index); err != nil {
		t.Fatal(err)
	}
	for _, b := range blobs {
		if err := a.Begin(b); err != nil {
			t.Fatal(err)
		}
		e := a.Encoder(b, func(p []byte) error { _, err := a.Write(p); return err })
		blob, err := in.Open(b.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write(readAll(t, blob)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(e.Close(), a.End()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Commit(false); err != nil {
		t.Fatal(err)
	}
}

func readAll(t *testing.T, blob store.Blob) []byte {
	t.Helper()
	defer blob.Close()
	data := make([]byte, blob.Size())
	for n := 0; n < len(data); {
		got, err := blob.Read(data[n:])
		if n += got; err != nil && n < len(data) {
			t.Fatal(err)
		}
	}
	return data
}

// TestSeveralInputsCountAsMerged compares each command that reads inputs with the same command
// on what merge makes of these.
func TestSeveralInputsCountAsMerged(t *testing.T) {
	dir := secondTrip(t)
	target := testregistry.New(t, testregistry.Options{})
	for _, inputs := range [][]string{
		{"base.tgz", "delta.tgz"}, {"delta.tgz", "base.tgz"}, {"beside.tgz", "base.tgz", "delta.tgz"}, {"base.tgz", "beside.tgz"}, {"[bd]*a*.tgz", "base.tgz"},
	} {
		t.Run(strings.Join(inputs, " "), func(t *testing.T) {
			merged := filepath.Join(t.TempDir(), "merged.tgz")
			args := []string{"merge", "-o", merged}
			var flags []string
			for _, input := range inputs {
				args, flags = append(args, filepath.Join(dir, input)), append(flags, "--input", filepath.Join(dir, input))
			}
			pull(t, args...)
			for _, command := range [][]string{
				{"list", "--format", "json"}, {"list"}, {"verify"}, {"init"},
				{"plan", "--format", "json", target.Host + "/" + "mirror"},
				{"restore", "--dry-run", target.Host + "/mirror"},
				{"client-config", "--serve", "http://mirror.example:5000", "--format", "podman"},
			} {
				code, several, errs := try(t, "", append(command, flags...)...)
				codeOne, one, errsOne := try(t, "", append(command, "--input", merged)...)
				if code != 0 || code != codeOne || several != one {
					t.Errorf("%v: exit code %d, expected %d\n%s%s\nmerged:\n%s%s", command, code, codeOne, several, errs, one, errsOne)
				}
				if command[0] == "verify" && withoutNames(errs) != withoutNames(errsOne) {
					t.Errorf("verify says %s of several, and %s of one", errs, errsOne)
				}
			}
		})
	}
}

// withoutNames cuts the names of the inputs off a message of verify.
func withoutNames(line string) string {
	_, rest, _ := strings.Cut(line, ".tgz: ")
	return rest
}

// TestRestoreOfSeveralInputs compares the registries that several inputs and the merged one fill.
func TestRestoreOfSeveralInputs(t *testing.T) {
	dir := secondTrip(t)
	want := testregistry.New(t, testregistry.Options{})
	pull(t, "restore", "--input", dir+"/full.tgz", want.Host)
	for name, restore := range map[string]func(host string){
		"base and delta": func(host string) {
			pull(t, "restore", "--input", dir+"/base.tgz", "--input", dir+"/delta.tgz", host+"/mirror")
		},
		"a delta in a pipe": func(host string) {
			delta, err := os.ReadFile(dir + "/delta.tgz")
			if err != nil {
				t.Fatal(err)
			}
			if code, _, errs := try(t, string(delta), "restore", "--input", "-", "--input", dir+"/base.tgz", host+"/mirror"); code != 0 {
				t.Errorf("exit code %d: %s", code, errs)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := testregistry.New(t, testregistry.Options{})
			restore(got.Host)
			testregistry.CheckSame(t, want, got, "mirror")
		})
	}
	code, _, errs := try(t, string(contentOf(t, dir+"/delta.tgz")), "restore", "--input", "-", "--input", dir+"/beside.tgz", want.Host)
	if code != 2 || !strings.Contains(errs, "beside.tgz is not a base") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}

// TestInputsThatDoNotFit names what does not fit together, before anything moves.
func TestInputsThatDoNotFit(t *testing.T) {
	dir := secondTrip(t)
	target := testregistry.New(t, testregistry.Options{})
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"merge", "-o", in("x.tgz"), in("base.tgz"), in("full.tgz")}, []string{"team/app:v1 is sha256:", in("base.tgz"), in("full.tgz"), "hint: leave one"}},
		{[]string{"restore", "--input", in("base.tgz"), "--input", in("full.tgz"), target.Host}, []string{"team/app:v1 is sha256:"}},
		{[]string{"merge", "-o", in("x.tgz"), in("beside.tgz"), in("delta.tgz")}, []string{in("delta.tgz") + " needs base.tgz, which is not among the inputs"}},
		{[]string{"merge", "-o", in("base.tgz"), in("base.tgz"), in("delta.tgz")}, []string{"is an input"}},
		{[]string{"merge", "-o", in("x.tgz"), in("no-such.*.tgz")}, []string{"no file matches"}},
		{[]string{"list", "--input", in("no-such.*.tgz")}, []string{"no file matches"}},
		{[]string{"merge", "-o", in("x.tgz"), "-"}, []string{"standard input can be read only once"}},
	} {
		code, _, errs := try(t, "", tt.args...)
		for _, want := range tt.want {
			if code != 2 || !strings.Contains(errs, want) {
				t.Errorf("%v: exit code %d, expected %q:\n%s", tt.args, code, want, errs)
			}
		}
		if _, err := os.Stat(in("x.tgz")); err == nil {
			t.Errorf("%v writes a file", tt.args)
		}
	}
	if n := target.Count("PUT manifest") + target.Count("POST upload"); n > 0 {
		t.Errorf("%d requests write to the target", n)
	}
}
