package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// writeMany writes the index.json of n artifacts with a referrer each. There are no blobs:
// no start reads one.
func (d *desk) writeMany(layout string, n int) {
	d.t.Helper()
	if err := os.MkdirAll(d.path(layout), 0o755); err != nil {
		d.t.Fatal(err)
	}
	d.write(layout+"/oci-layout", `{"imageLayoutVersion":"1.0.0"}`)
	file, err := os.Create(d.path(layout + "/new"))
	if err != nil {
		d.t.Fatal(err)
	}
	out := bufio.NewWriter(file)
	out.WriteString(`{"schemaVersion":2,"manifests":[`)
	const manifest = `{"mediaType":"application/vnd.oci.image.manifest.v1+json",`
	for i := range n {
		name := fmt.Sprintf("registry.example.com/team%03d/app:v1.%d", i/1000, i)
		fmt.Fprintf(out, "%s\"digest\":%q,\"size\":500,\"annotations\":{\"io.containerd.image.name\":%q,\"io.github.oras-mirror.referrers\":\"all\",\"org.opencontainers.image.ref.name\":%[3]q}},\n",
			manifest, digest.FromString(fmt.Sprint(i)), name)
	}
	for i := range n {
		fmt.Fprintf(out, "%s\"digest\":%q,\"size\":700,\"annotations\":{\"io.github.oras-mirror.repositories\":\"registry.example.com/team%03d/app\",\"io.github.oras-mirror.subject\":%q}}%s\n",
			manifest, digest.FromString(fmt.Sprint("referrer", i)), i/1000, digest.FromString(fmt.Sprint(i)), map[bool]string{true: ","}[i < n-1])
	}
	out.WriteString("]}\n")
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(d.path(layout+"/new"), d.path(layout+"/index.json")); err != nil {
		d.t.Fatal(err)
	}
}

// TestServeOfManyArtifactsKeepsItsPromiseOfMemory: also while it reads a new index.json,
// which it does within ten seconds.
func TestServeOfManyArtifactsKeepsItsPromiseOfMemory(t *testing.T) {
	const n = 100_000
	d := newDesk(t)
	d.writeMany("layout", n)
	s, cmd := d.start("--input", "layout")
	first := resident(cmd.Process.Pid)
	d.writeMany("layout", n-1000)
	for {
		resp, err := http.Get("http://" + s.Host + "/v2/team099/app/tags/list")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusNotFound {
			break
		}
		time.Sleep(100 * time.Millisecond) // a change is noticed when it is
	}
	most := resident(cmd.Process.Pid)
	t.Logf("%d MiB at the start, %d MiB with the reload", first>>20, most>>20)
	if os.Getenv("RACE") == "" && most > defaultBuffer+128<<20 {
		t.Errorf("%d MiB", most>>20)
	}
}

// TestCompareServe pulls 576 MiB by 8 requests at once, from serve and from distribution,
// which has them on its disk. As TestCompare it says what it measures; it fails for nothing.
func TestCompareServe(t *testing.T) {
	if !*compare {
		return
	}
	d := newDesk(t)
	r := testregistry.New(t, testregistry.Options{})
	var digests []string
	for i := range 8 {
		layer := append([]byte{0x1f, 0x8b}, testregistry.Random(fmt.Sprint("layer", i), 72<<20)...)
		r.Image("big/app", fmt.Sprint("v", i), layer)
		digests = append(digests, digest.FromBytes(layer).String())
	}
	d.mirror("backup", "-q", "-o", "bundle.tgz", r.Host+"/big/app").exits(0)
	d.mirror("backup", "-q", "-o", "layout/", r.Host+"/big/app").exits(0)
	theirs := startRegistry(t, registryOptions{Storage: t.TempDir()})
	d.mirror("restore", "-q", "--input", "bundle.tgz", theirs.Host).exits(0)
	took := make(map[string][]float64)
	for range *compareRounds {
		own := newDesk(t)
		for name, host := range map[string]string{"distribution": theirs.Host, "bundle.tgz": own.serve("--input", d.path("bundle.tgz")).Host, "layout": own.serve("--input", d.path("layout")).Host} {
			for _, turn := range []string{"first", "later", "later"} {
				if name == "distribution" {
					turn = ""
				}
				took[strings.TrimSpace(name+" "+turn)] = append(took[strings.TrimSpace(name+" "+turn)], pullAll(t, host, digests))
			}
		}
	}
	base := median(took["distribution"])
	for _, name := range []string{"distribution", "bundle.tgz first", "layout first", "bundle.tgz later", "layout later"} {
		t.Logf("%s: %.3f s, %.2f", name, median(took[name]), median(took[name])/base)
	}
}

// pullAll fetches some blobs at once and returns the seconds that it took.
func pullAll(t *testing.T, host string, digests []string) float64 {
	t.Helper()
	began := time.Now()
	var pulls sync.WaitGroup
	for _, d := range digests {
		pulls.Go(func() {
			resp, err := http.Get("http://" + host + "/v2/big/app/blobs/" + d)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{resp.Body}, make([]byte, 256<<10)); err != nil || n != 72<<20+2 {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
	pulls.Wait()
	return time.Since(began).Seconds()
}
