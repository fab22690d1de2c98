package sync_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// large is more than a quarter of the smallest buffer of a run.
const large = 3 << 20

// smallBuffer returns the options of a run with the smallest buffer: large blobs stream.
func smallBuffer(concurrency int) engine.SyncOptions {
	return engine.SyncOptions{RestoreOptions: engine.RestoreOptions{Concurrency: concurrency, Buffer: 1 << 20}}
}

// TestStreams: blobs that are too large to be held, with one slot for all, with one slot at
// a registry, and in both directions at once.
func TestStreams(t *testing.T) {
	for _, limits := range [][2]int{{1, 0}, {2, 1}, {16, 1}, {16, 0}, {3, 2}} {
		t.Run(fmt.Sprint(limits), func(t *testing.T) {
			one, two := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
			for i := range 6 {
				one.Image(fmt.Sprintf("to/two%d", i), "v1", testregistry.Random(fmt.Sprint("a", i), large), testregistry.Random(fmt.Sprint("b", i), 100<<10))
				two.Image(fmt.Sprintf("to/one%d", i), "v1", testregistry.Random(fmt.Sprint("c", i), large), testregistry.Random(fmt.Sprint("d", i), 100<<10))
			}
			var from []string
			for i := range 6 {
				from = append(from, fmt.Sprintf("%s/to/two%d", one.Host, i), fmt.Sprintf("%s/to/one%d", two.Host, i))
			}
			c := registry.New(registry.Options{Transport: transport.Options{Concurrency: limits[0]}, Settings: func(string) (registry.Settings, error) {
				return registry.Settings{Settings: transport.Settings{Concurrency: limits[1]}}, nil
			}})
			o := smallBuffer(limits[0])
			report, err := tryBy(t, c, selections(t, true, from...), o, one.Host+"/mirror", two.Host+"/mirror")
			whole(t, report, err)
			if len(report.Artifacts) != 24 {
				t.Errorf("%d artifacts", len(report.Artifacts))
			}
		})
	}
}

// TestRefusedUploadCostsNothing: the source is asked once the target says to go ahead.
func TestRefusedUploadCostsNothing(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	source.Image("app", "v1", testregistry.Random("a", large))
	target.Fault(testregistry.Always("PUT upload", testregistry.Status(403, "")))
	if _, err := try(t, selections(t, true, source.Host+"/app"), smallBuffer(4), target.Host+"/mirror"); err == nil {
		t.Error("it ends well")
	}
	if n := source.Counts()["GET blob"]; n > 1 { // the config
		t.Errorf("%d GETs of blobs", n)
	}
}

// TestBrokenStreamGoesOn: a GET that breaks resumes behind the same PUT.
func TestBrokenStreamGoesOn(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	blob := testregistry.Random("a", large)
	source.Image("app", "v1", blob)
	source.Fault(testregistry.First(3, "GET blob", testregistry.Cut(1<<20)))
	report, err := try(t, selections(t, true, source.Host+"/app"), smallBuffer(4), target.Host+"/mirror")
	whole(t, report, err)
	testregistry.CheckSame(t, source, target, "mirror")
	if n := target.Counts()["PUT upload"]; n != 2 {
		t.Errorf("%d PUTs of blobs, want 2", n)
	}
}

// TestWrongBytesOfAStream: wrong bytes never become a blob; the next answer is used.
func TestWrongBytesOfAStream(t *testing.T) {
	for _, times := range []int{1, 9} {
		source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{NoDigestCheck: true})
		source.Image("app", "v1", bytes.Repeat([]byte("abc"), large/3))
		source.Fault(testregistry.First(times, "GET blob", testregistry.Flip(large/2)))
		report, err := try(t, selections(t, true, source.Host+"/app"), smallBuffer(4), target.Host+"/mirror")
		if times == 1 {
			whole(t, report, err)
			testregistry.CheckSame(t, source, target, "mirror")
		} else if err == nil || target.Counts()["PUT manifest"] > 0 {
			t.Errorf("%d wrong answers: %v", times, err)
		}
	}
}
