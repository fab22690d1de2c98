package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
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
