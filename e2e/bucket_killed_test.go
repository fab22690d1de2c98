package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/testbucket"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// killedAt runs oras-mirror and kills it when the bucket gets the request: before the bucket
// answers it, or after that.
func killedAt(t *testing.T, d *desk, server *testbucket.Server, is func(testbucket.Call) bool, fault *testbucket.Fault, args ...string) {
	t.Helper()
	cmd := d.command(program, args...)
	var starting sync.Mutex // until cmd.Process is there
	dead := false
	server.Inject(func(c testbucket.Call) *testbucket.Fault {
		if dead || !is(c) {
			return nil
		}
		starting.Lock()
		defer starting.Unlock()
		dead = true
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		return fault
	})
	starting.Lock()
	err := cmd.Start()
	starting.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	server.Inject(nil)
	if !wasKilled(cmd) {
		t.Fatalf("%v was not killed: %v", args, cmd.ProcessState)
	}
}

// call recognizes the n-th request of a kind for a key that ends so.
func call(kind, suffix string, n int) func(testbucket.Call) bool {
	return func(c testbucket.Call) bool {
		if c.Kind != kind || !strings.HasSuffix(c.Key, suffix) {
			return false
		}
		n--
		return n == 0
	}
}

// TestKilledAtARequestOfTheBucket kills backups while they write index.json, send the parts of
// a large blob or of a bundle, and complete them. What was there before is whole, and the
// same command finishes the work.
func TestKilledAtARequestOfTheBucket(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("team/app", "v0", []byte("before"))
	r.Image("team/app", "v1", testregistry.Random("large", 40<<20))
	for name, tt := range map[string]struct {
		output  string
		is      func(testbucket.Call) bool
		after   bool // the bucket has done what was asked for
		fetched int  // blobs of the second run at most; v1 has two
	}{
		"index.json":                        {"layout/", call("PUT if match", "index.json", 1), false, 0},
		"index.json, after it is written":   {"layout/", call("PUT if match", "index.json", 1), true, 0},
		"a part of a large blob":            {"layout/", call("PUT part", "", 3), false, 2},
		"the end of a large blob":           {"layout/", call("POST complete", "", 1), false, 2},
		"the end of a large blob, after it": {"layout/", call("POST complete", "", 1), true, 0},
		"the start of a bundle":             {"x.tgz", call("POST upload", "x.tgz.incomplete", 1), true, 2},
		"a part of a bundle":                {"x.tgz", call("PUT part", "x.tgz.incomplete", 2), false, 2},
		"the end of a bundle":               {"x.tgz", call("POST complete", "x.tgz.incomplete", 1), true, 2},
		"the copy of a bundle":              {"x.tgz", call("PUT part", "x.tgz", 1), true, 2},
		"the end of the copy":               {"x.tgz", call("POST complete", "x.tgz", 1), true, 0},
		"the removal of the first copy":     {"x.tgz", call("DELETE", "x.tgz.incomplete", 1), false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := testbucket.New(t)
			d, output := newDesk(t), server.Path(tt.output)
			d.mirror("backup", "-o", output, r.Host+"/team/app:v0").exits(0)
			args := []string{"backup", "-o", output, r.Host + "/team/app:v0", r.Host + "/team/app:v1"}
			fault := testbucket.Reset()
			if tt.after {
				fault = testbucket.Lost()
			}
			killedAt(t, d, server, tt.is, fault, args...)
			d.mirror("verify", "--input", output).exits(0)
			if !strings.Contains(d.mirror("list", "--input", output).exits(0).stdout, "v0") {
				t.Error("the artifact of the former backup is gone")
			}
			r.ResetCounts()
			d.mirror(args...).exits(0)
			if n := blobsAsked(r); n > tt.fetched {
				t.Errorf("%d blobs were fetched again", n)
			}
			d.mirror("verify", "--input", output).exits(0)
			if !strings.Contains(d.mirror("list", "--input", output).exits(0).stdout, "v1") {
				t.Error("the second run lacks an artifact")
			}
			if left, _ := filepath.Glob(filepath.Join(server.Folder, "*.incomplete")); len(left) > 0 {
				t.Errorf("%v is left", left)
			}
		})
	}
}

// blobsAsked counts the blobs that were asked for, however many requests each took.
func blobsAsked(r *testregistry.Registry) (n int) {
	for line := range r.URLs() {
		if strings.HasPrefix(line, "GET ") && strings.Contains(line, "/blobs/") {
			n++
		}
	}
	return n
}

// TestBundleInABucketWithoutABlob backs up 300 MiB as a file and into a bucket, twice: first a
// blob fails for good in its middle, then nothing does. Each time both have the same name and
// the same bytes.
func TestBundleInABucketWithoutABlob(t *testing.T) {
	r := testregistry.New(t, testregistry.Options{})
	r.Image("app", "v0", []byte("before"))
	for i := range 3 {
		r.Image("app", fmt.Sprintf("v%d", i+1), testregistry.Random(fmt.Sprint("large", i), 100<<20))
	}
	server := testbucket.New(t)
	d := newDesk(t)
	for _, output := range []string{"x.tgz", server.Path("x.tgz")} {
		d.mirror("backup", "-o", output, r.Host+"/app:v0").exits(0)
	}
	for _, tt := range []struct {
		name  string
		exit  int
		fault func(*http.Request, int) testregistry.Fault
	}{{"x.tgz.incomplete", 3, failsIn(testregistry.Random("large1", 100<<20), 50<<20)}, {"x.tgz", 0, nil}} {
		r.Fault(tt.fault)
		for _, output := range []string{"x.tgz", server.Path("x.tgz")} {
			got := d.mirror("backup", "-o", output, r.Host+"/app").exits(tt.exit)
			if tt.exit != 0 && !strings.Contains(got.stderr, output+".incomplete") {
				t.Errorf("%s is not named:\n%s", tt.name, got.stderr)
			}
		}
		file, err := os.ReadFile(d.path(tt.name))
		if err != nil {
			t.Fatal(err)
		}
		object, err := os.ReadFile(filepath.Join(server.Folder, tt.name))
		if err != nil || !bytes.Equal(file, object) {
			t.Errorf("%s: %d bytes as a file, %d in the bucket, %v", tt.name, len(file), len(object), err)
		}
		d.mirror("verify", "--input", server.Path("x.tgz")).exits(0)
	}
	if _, err := os.Stat(filepath.Join(server.Folder, "x.tgz.incomplete")); err == nil {
		t.Error("the incomplete bundle is left beside the whole one")
	}
}

// failsIn breaks the body of a blob after n bytes, and answers 404 to all requests for the rest.
func failsIn(blob []byte, n int64) func(*http.Request, int) testregistry.Fault {
	name := digest.FromBytes(blob).String()
	return func(req *http.Request, _ int) testregistry.Fault {
		if req.Method != http.MethodGet || !strings.HasSuffix(req.URL.Path, "/blobs/"+name) {
			return nil
		}
		var from, to int64
		fmt.Sscanf(req.Header.Get("Range"), "bytes=%d-%d", &from, &to)
		if from >= n {
			return testregistry.Status(http.StatusNotFound, "")
		}
		if to > 0 && to < n {
			return nil
		}
		return testregistry.Cut(n - from)
	}
}
