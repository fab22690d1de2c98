package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// Both names of loopback lead to one registry, which so counts what two would see.
func TestAThousandSmallArtifactsInAsFewRequestsAsCanBe(t *testing.T) {
	const tags, concurrency = 500, 8
	r := testregistry.New(t, testregistry.Options{PageSize: 100})
	for i := range tags {
		for _, repo := range []string{"a", "b"} {
			r.Artifact(repo, fmt.Sprintf("v%d", i), "application/vnd.example", fmt.Appendf(nil, "%d", i))
		}
	}
	r.SetDelay(2 * time.Millisecond)
	d := newDesk(t)
	d.mirror("backup", "-o", "bundle.tgz", "--concurrency", fmt.Sprint(concurrency),
		r.Host+"/a", strings.Replace(r.Host, "127.0.0.1", "localhost", 1)+"/b").exits(0)

	if n := r.MaxInFlight(); n != concurrency {
		t.Errorf("%d requests in flight, want %d", n, concurrency)
	}
	expect(t, r, map[string]int{
		"GET tags":      2 * tags / 100,
		"GET manifest":  2 * tags,
		"GET referrers": 2 * tags,
		"GET blob":      tags + 1, // the same in both repositories; one is the empty config
	})
}

// expect checks how many requests of some kinds came, and that no other kinds did
// but one to /v2/ a registry.
func expect(t *testing.T, r *testregistry.Registry, want map[string]int) {
	t.Helper()
	counts := r.Counts()
	for kind, n := range want {
		if counts[kind] != n {
			t.Errorf("%s: %d, want %d", kind, counts[kind], n)
		}
		delete(counts, kind)
	}
	delete(counts, "GET base")
	if len(counts) != 0 {
		t.Errorf("unnecessary requests: %v", counts)
	}
}

func TestSharedManifestsAndBlobsAreFetchedOnce(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	base := testregistry.Random("base", 100_000)
	amd64, arm64 := r.Image("app", "", base, []byte("amd64")), r.Image("app", "", base, []byte("arm64"))
	for i := range 10 {
		r.Index("app", fmt.Sprintf("v%d", i), amd64, arm64, r.Image("app", "", base, fmt.Append(nil, i)))
		r.Image("other", fmt.Sprintf("v%d", i), base, fmt.Append(nil, i))
	}
	d := newDesk(t)
	for _, output := range []string{"bundle.tgz", "layout/"} {
		r.ResetCounts()
		d.mirror("backup", "-o", output, r.Host+"/app", r.Host+"/other").exits(0)
		blobs := map[string]int{}
		for line, n := range r.URLs() {
			if n != 1 {
				t.Errorf("%s: %d times %s", output, n, line)
			}
			if _, blob, ok := strings.Cut(line, "/blobs/"); ok {
				blobs[blob]++
			}
		}
		for blob, n := range blobs {
			if n != 1 {
				t.Errorf("%s: blob %s from %d repositories", output, blob, n)
			}
		}
	}

	r.ResetCounts()
	d.mirror("backup", "-o", "layout/", "--exclude-referrers", r.Host+"/app", r.Host+"/other").exits(0)
	expect(t, r, map[string]int{"GET tags": 2, "HEAD manifest": 20})
}

func TestRestoreUploadsOnceAndMountsTheRest(t *testing.T) {
	source, site := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	base := testregistry.Random("base", 100_000)
	for _, repo := range []string{"a", "b", "c"} {
		source.Image(repo, "v1", base, []byte(repo))
	}
	d := newDesk(t)
	d.mirror("backup", "-o", "bundle.tgz", source.Host+"/a", source.Host+"/b", source.Host+"/c").exits(0)
	d.mirror("restore", "--input", "bundle.tgz", site.Host).exits(0)
	same(t, snapshot(t, source.Access()), site.Access())
	if n := site.Count("PUT upload"); n < 7 || n > 7 {
		t.Errorf("%d uploads, want 3 configs, 3 layers and the one that all share", n)
	}
	if n := site.Count("mount"); n != 2 {
		t.Errorf("%d mounts, want 2", n)
	}

	site.ResetCounts()
	d.mirror("restore", "--input", "bundle.tgz", site.Host).exits(0)
	expect(t, site, map[string]int{"HEAD manifest": 3})
}

func TestOneArtifactFailsAndTheOthersAreCommitted(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("good", "v1", []byte("good"))
	r.Image("bad", "v1", []byte("bad"))
	good := only("good", snapshot(t, r.Access()))
	r.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if strings.HasPrefix(req.URL.Path, "/v2/bad/blobs/") {
			return testregistry.Status(http.StatusNotFound, "")
		}
		return nil
	})
	d := newDesk(t)
	d.mirror("backup", "-o", "bundle.tgz", r.Reference("good", "v1"), r.Reference("bad", "v1")).exits(3).says(r.Reference("bad", "v1"))
	site := testregistry.New(t, testregistry.Options{})
	d.mirror("restore", "--input", "bundle.tgz", site.Host).exits(0)
	same(t, good, site.Access())

	d.write("old.tgz", d.read("bundle.tgz"))
	d.mirror("backup", "-o", "old.tgz", r.Reference("good", "v1"), r.Reference("bad", "v1")).exits(3)
	if !d.exists("old.tgz.incomplete") {
		t.Errorf("the folder has %v", d.files())
	}
	d.mirror("backup", "-o", "none.tgz", r.Reference("bad", "v1")).exits(1)
	if d.exists("none.tgz") {
		t.Error("a bundle of nothing was written")
	}
}

// only keeps one repository.
func only(repo string, contents testregistry.Contents) testregistry.Contents {
	return contents.Map(func(name string) string {
		if strings.HasPrefix(name, repo+":") {
			return name
		}
		return ""
	})
}
