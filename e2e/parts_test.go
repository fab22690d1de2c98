package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// contents returns the files of a folder that match a pattern, with their contents.
func (d *desk) contents(t *testing.T, pattern string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(d.path(pattern))
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = string(data)
	}
	return all
}

func TestKilledBackupInParts(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	fillForKills(r)
	r.Image("team/app", "large", testregistry.Random("large", 1_700_000))
	args := []string{"backup", "-o", "bundle.tgz", "--part-size", "500KiB", r.Host + "/team/app"}
	whole := newDesk(t)
	requests := clean(t, whole, r, args...)
	want := whole.contents(t, "bundle.*")
	if len(want) < 5 {
		t.Fatalf("only %d parts", len(want))
	}
	atKillPoints(t, requests, func(t *testing.T, n int) {
		d := newDesk(t)
		killed(t, d, r, n, args...)
		complete := make(map[string]bool)
		partials, err := filepath.Glob(d.path("bundle.*.partial"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range partials {
			maps.Copy(complete, inPartial(t, file))
		}
		if len(d.contents(t, "bundle.*.tgz")) > 0 {
			t.Error("a part has its name before all are whole")
		}
		r.ResetCounts()
		d.mirror(args...).exits(0)
		noneFetched(t, r, complete)
		if got := d.contents(t, "bundle.*"); !maps.Equal(got, want) {
			t.Errorf("the parts %q are not those of a run that was not killed", slices.Sorted(maps.Keys(got)))
		}
	})
}

// partReaders are commands of others that read the artifact $NAME, whose digest is $DIGEST and
// whose blobs are all in the part that is unpacked in layout, and push it to $TO.
var partReaders = []struct{ program, script string }{
	{"oras", `oras copy --from-oci-layout-path layout $NAME $TO`},
	{"skopeo", `skopeo --insecure-policy copy --preserve-digests --dest-tls-verify=false oci:layout:$NAME docker://$TO`},
}

// TestOthersReadEachPart unpacks each part with tar: oras and skopeo list all artifacts, and copy
// those whose blobs are there. Unpacked together, with the pieces joined by cat, the parts are
// the whole layout.
func TestOthersReadEachPart(t *testing.T) {
	source := testregistry.New(t, testregistry.Options{})
	tags := []string{"v1", "v2", "v3"}
	for _, tag := range tags {
		source.Image("app", tag, testregistry.Random(tag, 300_000))
	}
	source.Image("app", "w-large", testregistry.Random("large", 1_500_000))
	names := make(map[string]string)
	want := snapshot(t, source.Access())
	for _, tag := range append(tags, "w-large") {
		names[source.Reference("app", tag)] = string(want["app:"+tag].Digest)
	}
	d := newDesk(t)
	d.mirror("backup", "-o", "bundle.tgz", "--part-size", "400KiB", source.Host+"/app").exits(0)
	parts := slices.Sorted(maps.Keys(d.contents(t, "bundle.*.tgz")))
	if len(parts) < 5 {
		t.Fatalf("only %q", parts)
	}
	site := startRegistry(t, registryOptions{})
	copied := make(map[string]int)
	for _, part := range parts {
		d.script(t, "oras", "rm -rf layout && mkdir layout && tar xzf $PART -C layout", "PART="+part)
		listed := d.oras("repo", "tags", "--oci-layout", "layout")
		for name, digest := range names {
			if !strings.Contains(listed, name+"\n") {
				t.Errorf("oras does not list %s in %s", name, part)
			}
			d.script(t, "oras", `oras manifest fetch --oci-layout layout@$DIGEST`, "DIGEST="+digest)
			d.script(t, "skopeo", `skopeo inspect --raw oci:layout:$NAME`, "NAME="+name)
			if !d.hasAll(t, source, name) {
				continue
			}
			for _, reader := range partReaders {
				to := site.Host + "/" + reader.program + name[strings.LastIndex(name, "/"):]
				d.script(t, reader.program, reader.script, "NAME="+name, "TO="+to)
				copied[name]++
			}
		}
	}
	if len(copied) == 0 {
		t.Error("no part has an artifact whole")
	}
	d.script(t, "oras", `rm -rf layout && mkdir layout && for part in bundle.*.tgz; do tar xzf $part -C layout; done && cd layout &&
		for blob in pieces/*/*; do cat $blob/* >blobs/${blob#pieces/}; done`)
	d.mirror("verify", "--input", "layout").exits(0)
	for _, reader := range partReaders {
		name := source.Reference("app", "w-large")
		d.script(t, reader.program, reader.script, "NAME="+name, "TO="+site.Host+"/joined/"+reader.program+":v1")
	}
}

// hasAll reports whether the layout has all blobs of an artifact.
func (d *desk) hasAll(t *testing.T, source *testregistry.Registry, name string) bool {
	t.Helper()
	artifact := snapshot(t, source.Access())["app:"+name[strings.LastIndex(name, ":")+1:]]
	for part := range artifact.Graph {
		_, digest, _ := strings.Cut(part, " ")
		if !d.exists("layout/blobs/" + strings.ReplaceAll(digest, ":", "/")) {
			return false
		}
	}
	return true
}
