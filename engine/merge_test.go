package engine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
	"github.com/oras-mirror/oras-mirror/store/oci"
)

// TestMergeEqualsTheFullBundle merges bases and deltas of every form.
func TestMergeEqualsTheFullBundle(t *testing.T) {
	dir := t.TempDir()
	first, second, third := threeTrips(t, dir)
	d2 := handDelta(t, dir+"/d2.tgz", second+".tgz", first+".tgz")
	d3 := handDelta(t, dir+"/d3.tgz", third+".tgz", d2)
	both := handDelta(t, dir+"/both.tgz", third+".tgz", first+".tgz", second+".tgz")
	d2Dir, d3Dir := handDelta(t, dir+"/d2/", second+"/", first+"/"), handDelta(t, dir+"/d3/", third+"/", dir+"/d2/")
	for i, tt := range []struct {
		inputs []string
		want   string
		bytes  bool // as archives
	}{
		{[]string{first + ".tgz"}, first, true},
		{[]string{first + ".tgz", d2}, second, true},
		{[]string{d2, first + ".tgz"}, second, true},
		{[]string{d2, d3, first + ".tgz"}, third, true},
		{[]string{first + ".tgz", second + ".tgz", both}, third, true},
		{[]string{first + "/", d2}, second, true}, // the order is that of the delta
		{[]string{first + "/", d2Dir}, second, false},
		{[]string{first + ".tgz", d2Dir, d3Dir}, third, false},
		{[]string{d3, d2Dir, first + "/"}, third, true},
		{[]string{first + "/", first + ".tgz"}, first, true},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			out := mergeTo(t, filepath.Join(t.TempDir(), "full.tgz"), tt.inputs...)
			if tt.bytes {
				checkSameFile(t, out, tt.want+".tgz")
			}
			checkSameFolder(t, unpack(t, out), folder(t, tt.want))
			checkSameFolder(t, folder(t, mergeTo(t, filepath.Join(t.TempDir(), "full")+"/", tt.inputs...)), folder(t, tt.want))
			tar := mergeTo(t, filepath.Join(t.TempDir(), "full.tar"), tt.inputs...)
			checkSameFolder(t, unpack(t, tar), folder(t, tt.want))
		})
	}
}

// TestMergeOfADeltaWithFewerPlatforms: a base lends blobs, but no images of platforms that its
// delta does not select.
func TestMergeOfADeltaWithFewerPlatforms(t *testing.T) {
	dir := t.TempDir()
	r := testregistry.New(t, testregistry.Options{})
	fillPlatforms(r)
	backUp(t, dir+"/base.tgz", selections(t, r.Host+"/app:v1"))
	backUp(t, dir+"/base/", selections(t, r.Host+"/app:v1"))
	few := only(t, selections(t, r.Host+"/app:v1"), "linux/arm64")
	backUp(t, dir+"/full.tgz", few)
	report, err := tryBackup(t, dir+"/delta.tgz", few, engine.BackupOptions{Base: new(trips).layout(t, dir+"/base.tgz")})
	whole(t, report, err)
	for _, base := range []string{"/base.tgz", "/base/"} {
		checkSameFile(t, mergeTo(t, filepath.Join(t.TempDir(), "out.tgz"), dir+base, dir+"/delta.tgz"), dir+"/full.tgz")
	}
}

// TestMergeOfDeltasStaysADelta: without the base, two deltas make one that needs it.
func TestMergeOfDeltasStaysADelta(t *testing.T) {
	dir := t.TempDir()
	first, second, third := threeTrips(t, dir)
	d2 := handDelta(t, dir+"/d2.tgz", second+".tgz", first+".tgz")
	d3 := handDelta(t, dir+"/d3.tgz", third+".tgz", d2)
	checkSameFile(t, mergeTo(t, dir+"/copy.tgz", d2), d2)
	out := mergeTo(t, dir+"/d.tgz", d3, d2)
	if got := openUnion(t, out).Index(); !got.IsDelta() || got.Annotations[oci.AnnotationBaseName] != "1.tgz" {
		t.Errorf("the annotations are %v", got.Annotations)
	}
	checkSameFile(t, mergeTo(t, dir+"/full.tgz", first+".tgz", out), third+".tgz")
}

// TestMergeOfStrangers unites layouts with nothing in common, and refuses a name with two
// digests.
func TestMergeOfStrangers(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fill(r)
	dir := t.TempDir()
	a, b := selections(t, r.Host+"/team/app"), selections(t, r.Host+"/charts/chart", r.Host+"/team/docker")
	backUp(t, dir+"/a.tgz", a)
	backUp(t, dir+"/b.tgz", b)
	backUp(t, dir+"/all/", slices.Concat(a, b))
	out := mergeTo(t, dir+"/out.tgz", dir+"/a.tgz", dir+"/b.tgz")
	checkSameFolder(t, unpack(t, out), folder(t, dir+"/all"))

	r.Image("team/app", "v1", []byte("moved"))
	backUp(t, dir+"/c.tgz", a)
	_, err := store.OpenUnion([]string{dir + "/a.tgz", dir + "/c.tgz"}, func(path string) (store.Layout, error) {
		return store.OpenLayout(path, store.OpenOptions{})
	})
	clash, ok := errors.AsType[*store.ClashError](err)
	if !ok || clash.Name != r.Host+"/team/app:v1" || clash.Inputs != [2]string{dir + "/a.tgz", dir + "/c.tgz"} {
		t.Error(err)
	}
}

// TestMergeKeepsWhatOtherToolsWrote merges layouts with bare tags and fields of others.
func TestMergeKeepsWhatOtherToolsWrote(t *testing.T) {
	dir := t.TempDir()
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v1", []byte("layer"))
	backUp(t, dir+"/a/", selections(t, r.Host+"/app"))
	index, err := os.ReadFile(dir + "/a/index.json")
	if err != nil {
		t.Fatal(err)
	}
	foreign := strings.Replace(strings.ReplaceAll(string(index), r.Host+"/app:v1", "v1"), `"schemaVersion":2`, `"schemaVersion":2,"vendor":{"a":1}`, 1)
	foreign = strings.Replace(foreign, `"io.github.oras-mirror.referrers":"all"`, `"vendor.key":"kept"`, 1)
	if err := os.WriteFile(dir+"/a/index.json", []byte(foreign), 0o644); err != nil {
		t.Fatal(err)
	}
	r.Image("other", "v2", []byte("layer"))
	backUp(t, dir+"/b/", selections(t, r.Host+"/other"))
	got := string(unpack(t, mergeTo(t, dir+"/out.tgz", dir+"/a/", dir+"/b/"))["index.json"])
	for _, want := range []string{`"vendor.key":"kept"`, `"vendor":{"a":1}`, `"org.opencontainers.image.ref.name":"v1"`, r.Host + "/other:v2"} {
		if !strings.Contains(got, want) {
			t.Errorf("index.json lacks %s: %s", want, got)
		}
	}
}
