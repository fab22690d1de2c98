package engine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/store"
)

// TestRequestsOfBackupToABucket counts the requests to the bucket of a backup with nothing
// new: an index is read for its children, which have referrers of their own, and no other
// manifest.
func TestRequestsOfBackupToABucket(t *testing.T) {
	const images, indexes = 40, 5
	for name, tt := range map[string]struct {
		choose func(*config.Selection)
		gets   int // index.json and manifests
	}{
		"with referrers":    {func(*config.Selection) {}, 1 + indexes},
		"without referrers": {func(s *config.Selection) { s.Referrers = false }, 1},
		"a platform":        {func(s *config.Selection) { s.Platforms = []config.Platform{{OS: "linux", Architecture: "arm64"}} }, 1 + indexes},
		"some types":        {func(s *config.Selection) { s.ReferrerTypes = []string{"application/vnd.example.*"} }, 1 + indexes},
	} {
		t.Run(name, func(t *testing.T) {
			server := testbucket.New(t)
			r := testregistry.New(t, testregistry.Options{})
			fillMany(r, "many", images)
			for i := range indexes {
				index := r.Index("many", fmt.Sprintf("multi%d", i), onPlatform(r.Image("many", "", fmt.Appendf(nil, "a%d", i)), "amd64"),
					onPlatform(r.Image("many", "", fmt.Appendf(nil, "b%d", i)), "arm64"))
				r.Referrer("many", index, "application/vnd.example.sbom", fmt.Appendf(nil, "sbom %d", i))
			}
			from := selections(t, r.Host+"/many")
			tt.choose(&from[0])
			backUp(t, server.Path("layout/"), from)
			server.Requests()
			report := backUp(t, server.Path("layout/"), from)
			want := map[string]int{"GET": tt.gets, "LIST": 1, "PUT if absent": 1, "PUT if match": 1}
			if got := server.Requests(); !maps.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
			if report.Moved != 0 || report.Unchanged != images+indexes {
				t.Errorf("%d bytes moved, %d artifacts are unchanged", report.Moved, report.Unchanged)
			}
		})
	}
}

func onPlatform(d ocispec.Descriptor, architecture string) ocispec.Descriptor {
	d.Platform = &ocispec.Platform{OS: "linux", Architecture: architecture}
	return d
}

// TestBucketFollowsARegistry changes a registry at random, and backs it up into a bucket and
// into a directory again and again. The bucket reads fewer manifests, and has the same.
func TestBucketFollowsARegistry(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			server := testbucket.New(t)
			f := &follower{Rand: rand.New(rand.NewPCG(seed, 0)), r: testregistry.New(t, testregistry.Options{NoReferrersAPI: seed%2 == 1})}
			directory := t.TempDir() + "/layout/"
			for step := range 6 {
				f.change(step)
				from := f.selection(t)
				var reports [2]*engine.Report
				for i, path := range []string{directory, server.Path("layout/")} {
					reports[i] = backUp(t, path, from)
				}
				if a, b := reports[0], reports[1]; a.Unchanged != b.Unchanged || a.Referrers != b.Referrers || a.Moved != b.Moved {
					t.Errorf("step %d: %d unchanged, %d referrers, %d bytes moved into the directory; %d, %d, %d into the bucket",
						step, a.Unchanged, a.Referrers, a.Moved, b.Unchanged, b.Referrers, b.Moved)
				}
				if got, want := layoutFiles(t, filepath.Join(server.Folder, "layout")), layoutFiles(t, directory); !maps.Equal(got, want) {
					t.Fatalf("step %d: the bucket has %d files, the directory %d", step, len(got), len(want))
				}
			}
		})
	}
}

// follower changes a registry.
type follower struct {
	*rand.Rand
	r    *testregistry.Registry
	made []ocispec.Descriptor
}

// change adds images, indexes and referrers, and moves tags.
func (f *follower) change(step int) {
	for i := range 1 + f.IntN(4) {
		d := f.r.Image("app", fmt.Sprintf("v%d", f.IntN(8)), fmt.Appendf(nil, "layer %d", f.IntN(20)), fmt.Appendf(nil, "step %d, %d", step, i))
		f.made = append(f.made, d)
	}
	for range f.IntN(3) {
		d := f.r.Index("app", fmt.Sprintf("multi%d", f.IntN(4)), onPlatform(f.any(), "amd64"), onPlatform(f.any(), "arm64"), f.any())
		f.made = append(f.made, d)
	}
	for range f.IntN(4) {
		kind := []string{"application/vnd.example.sbom", "application/vnd.other.signature"}[f.IntN(2)]
		d := f.r.Referrer("app", f.any(), kind, fmt.Appendf(nil, "step %d", f.IntN(1000)))
		f.made = append(f.made, d)
	}
}

func (f *follower) any() ocispec.Descriptor {
	d := f.made[f.IntN(len(f.made))]
	d.Platform = nil
	return d
}

func (f *follower) selection(t *testing.T) []config.Selection {
	from := selections(t, f.r.Host+"/app")
	switch f.IntN(6) {
	case 0:
		from[0].Referrers = false
	case 1:
		from[0].ReferrerTypes = []string{"application/vnd.example.*"}
	case 2:
		from[0].Platforms = []config.Platform{{OS: "linux", Architecture: "arm64"}}
	}
	return from
}

// layoutFiles returns the content of the files of a layout, but for the lock.
func layoutFiles(t *testing.T, path string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(path, func(file string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == store.LockFile {
			return err
		}
		name, _ := filepath.Rel(path, file)
		data, err := os.ReadFile(file)
		all[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestBucketHealsWhatItMisses removes a manifest behind the back of index.json: it is fetched
// again. With Verify every blob is.
func TestBucketHealsWhatItMisses(t *testing.T) {
	server := testbucket.New(t)
	r := testregistry.New(t, testregistry.Options{})
	root := r.Image("app", "v1", []byte("layer"))
	path := server.Path("layout/")
	backUp(t, path, selections(t, r.Host+"/app:v1"))
	before := layoutFiles(t, filepath.Join(server.Folder, "layout"))
	lose := func(match func(name string) bool) {
		for name := range before {
			if match(name) {
				if err := os.Remove(filepath.Join(server.Folder, "layout", name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	isRoot := func(name string) bool { return filepath.Base(name) == root.Digest.Encoded() }
	lose(isRoot)
	backUp(t, path, selections(t, r.Host+"/app:v1"))
	if got := layoutFiles(t, filepath.Join(server.Folder, "layout")); !maps.Equal(got, before) {
		t.Errorf("without the manifest: %v", slices.Sorted(maps.Keys(got)))
	}
	lose(func(name string) bool { return filepath.Dir(name) == filepath.Join("blobs", "sha256") && !isRoot(name) })
	out, err := store.Create(path, store.CreateOptions{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	report, err := backup.Run(t.Context(), client(0), selections(t, r.Host+"/app:v1"), out, engine.BackupOptions{})
	whole(t, report, err)
	if got := layoutFiles(t, filepath.Join(server.Folder, "layout")); !maps.Equal(got, before) {
		t.Errorf("with Verify: %v", slices.Sorted(maps.Keys(got)))
	}
}
