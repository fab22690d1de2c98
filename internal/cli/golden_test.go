package cli

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/internal/report"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
	"github.com/oras-mirror/oras-mirror/schemas"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

var testdata = func() string {
	dir, err := filepath.Abs("../../testdata")
	if err != nil {
		panic(err)
	}
	return dir
}()

// golden compares a text with a file of testdata, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join(testdata, name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range gotLines {
		if i >= len(wantLines) || gotLines[i] != wantLines[i] {
			t.Fatalf("%s:%d is not %q; -update writes it, if it is right", name, i+1, gotLines[i])
		}
	}
	t.Fatalf("%s has more than that", name)
}

func contentOf(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestGoldenSpecHasEveryKey checks that the golden files have every key of the schema.
func TestGoldenSpecHasEveryKey(t *testing.T) {
	var schema yaml.Node
	text, _ := schemas.Of("mirror")
	if err := yaml.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	keys := make(map[string]bool)
	for _, path := range []string{"testdata/golden/mirror.yaml", "testdata/golden/aged.yaml"} {
		var spec yaml.Node
		if err := yaml.Unmarshal(contentOf(t, path), &spec); err != nil {
			t.Fatal(err)
		}
		eachKey(&spec, func(key string, _ *yaml.Node) { keys[key] = true })
	}
	n := 0
	eachKey(&schema, func(key string, value *yaml.Node) {
		if key != "properties" {
			return
		}
		for i := 0; i < len(value.Content); i += 2 {
			n++
			if name := value.Content[i].Value; !keys[name] {
				t.Errorf("the golden spec has no %s", name)
			}
		}
	})
	if n < 40 {
		t.Errorf("the schema has only %d keys", n)
	}
}

func eachKey(n *yaml.Node, fn func(key string, value *yaml.Node)) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			fn(c.Value, n.Content[i+1])
		}
		eachKey(c, fn)
	}
}

var freeSpace = regexp.MustCompile(`disk space, .* free`)

// TestGolden locks and plans a spec that uses every key, and compares the output with
// golden files. Then it runs what was planned, to an archive, to a directory and to
// registries with and without the referrers API, each of them twice: the numbers of a run
// must be those of its plan.
func TestGolden(t *testing.T) {
	w := newGoldenWorld(t)
	var locks, bundles [2][]byte
	for i, concurrency := range []string{"--concurrency=1", "--concurrency=32"} {
		bundle := filepath.Join(t.TempDir(), "bundle.tgz")
		w.run("lock", "-f", w.spec, concurrency)
		w.run("backup", "-f", w.spec, "--locked", "-o", bundle, concurrency)
		locks[i], bundles[i] = contentOf(t, lockfile.Path(w.spec)), contentOf(t, bundle)
	}
	if !bytes.Equal(locks[0], locks[1]) {
		t.Errorf("two locks differ:\n%s\n%s", locks[0], locks[1])
	}
	if !bytes.Equal(bundles[0], bundles[1]) {
		t.Error("two bundles of a lock differ")
	}
	golden(t, "golden/mirror.lock.yaml", locks[0])
	w.run("lock", "-f", w.spec, "--check")
	plan := w.run("plan", "-f", w.spec)
	golden(t, "golden/plan.txt", []byte(freeSpace.ReplaceAllString(plan, "disk space, … free")))

	for _, output := range []string{"bundle.tgz", "layout/"} {
		path := filepath.Join(w.dir, output)
		w.holds(w.sources, "GET blob", "-f", w.spec, "-o", path)
		w.holds(w.sources, "GET blob", "-f", w.spec, "-o", path)
		w.run("verify", "--input", path)
	}
	for _, target := range []string{"new", "old"} {
		for range 2 {
			w.holds(w.targets, "PUT upload", "-f", w.spec, "--input", filepath.Join(w.dir, "bundle.tgz"), "--target", target)
		}
	}
	golden(t, "golden/restore.txt", []byte(w.run("plan", "-f", w.spec, "--input", filepath.Join(w.dir, "layout"), "--target", "old")))
}

// holds plans, runs what was planned, and compares the two. transfers is the kind of
// request that moves a blob.
func (w *goldenWorld) holds(registries []*testregistry.Registry, transfers string, args ...string) {
	w.t.Helper()
	var planned planDocument
	if err := json.Unmarshal([]byte(w.run(append([]string{"plan", "--format", "json"}, args...)...)), &planned); err != nil {
		w.t.Fatal(err)
	}
	for _, r := range registries {
		r.ResetCounts()
	}
	command := "restore"
	if planned.Space != nil {
		command = "backup"
	}
	file := filepath.Join(w.dir, "report.json")
	w.run(append([]string{command, "--report", file}, args...)...)
	var did report.Document
	if err := json.Unmarshal(contentOf(w.t, file), &did); err != nil {
		w.t.Fatal(err)
	}
	requests, moved := 0, 0
	for _, r := range registries {
		requests += requestsOf(r)
		moved += r.Count(transfers)
	}
	referrers := 0
	for _, a := range planned.Artifacts {
		referrers += len(a.Referrers)
	}
	for _, number := range []struct {
		name             string
		planned, counted int64
	}{
		{"artifacts", int64(len(planned.Artifacts)), int64(did.Totals.Artifacts)},
		{"referrers", int64(referrers), int64(did.Totals.Referrers)},
		{"referrers expected", int64(referrers), int64(did.Totals.Expected)},
		{"bytes", planned.Totals.ExpectedBytes, did.Totals.MovedBytes},
		{"transfers", int64(planned.Totals.ExpectedBlobs), int64(moved)},
		{"requests", int64(planned.Totals.Requests), int64(requests)},
	} {
		if number.planned != number.counted {
			w.t.Errorf("%s %v: %d %s, planned were %d", command, args, number.counted, number.name, number.planned)
		}
	}
	if planned.Space == nil {
		return
	}
	if got := sizeOf(w.t, args[len(args)-1]); got > planned.Totals.DistinctBytes*2 || planned.Changes && !strings.HasSuffix(args[len(args)-1], "/") && got > planned.Space.Needed {
		w.t.Errorf("%s has %d bytes, planned were at most %d", args[len(args)-1], got, planned.Space.Needed)
	}
}

// requestsOf counts the requests to a registry.
func requestsOf(r *testregistry.Registry) int {
	n := 0
	for kind, count := range r.Counts() {
		if kind != "range" {
			n += count
		}
	}
	return n
}

// sizeOf adds up the files at or below a path.
func sizeOf(t *testing.T, path string) (bytes int64) {
	t.Helper()
	err := filepath.WalkDir(path, func(_ string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}
