package engine_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// syncCostsOne syncs three artifacts with a fault at either side that hits one of them, as a
// blob that is held and as one that streams: the one is named, the others are whole, and
// when the fault is gone the same command copies it.
func syncCostsOne(t *testing.T, hurt func(source, target *testregistry.Registry, bad digest.Digest)) {
	t.Helper()
	for name, size := range map[string]int{"held": 900, "streamed": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
			for _, tag := range []string{"bad", "one", "two"} {
				source.Image("app", tag, testregistry.Random(tag, size), []byte("shared"))
			}
			hurt(source, target, digest.FromBytes(testregistry.Random("bad", size)))
			c := newFalseClock()
			c.stall = 150 * time.Millisecond
			report, err := syncWith(t, c.faced(t, 4), selections(t, source.Host+"/app"), target.Host+"/mirror")
			if err != nil {
				t.Fatal(err)
			}
			if got := failed(report); !slices.Equal(got, []string{"app:bad"}) {
				t.Errorf("failed: %v", got)
			}
			if got := target.Tags("mirror/app"); !slices.Equal(got, []string{"one", "two"}) {
				t.Errorf("the target has the tags %v", got)
			}
			source.Fault(nil)
			target.Fault(nil)
			report, err = syncWith(t, newFalseClock().faced(t, 4), selections(t, source.Host+"/app"), target.Host+"/mirror")
			whole(t, report, err)
			testregistry.CheckSame(t, source, target, "mirror")
		})
	}
}

func TestSyncOfABlobThatIsAlwaysWrong(t *testing.T) {
	syncCostsOne(t, func(source, _ *testregistry.Registry, bad digest.Digest) {
		source.Fault(on(bad.String(), testregistry.Flip(100)))
	})
}

func TestSyncOfABlobThatIsAlwaysCut(t *testing.T) {
	syncCostsOne(t, func(source, _ *testregistry.Registry, bad digest.Digest) {
		source.Fault(on(bad.String(), testregistry.Cut(0)))
	})
}

func TestSyncOfABlobThatIsGone(t *testing.T) {
	syncCostsOne(t, func(source, _ *testregistry.Registry, bad digest.Digest) {
		source.Fault(on(bad.String(), testregistry.Status(http.StatusNotFound, "")))
	})
}

func TestSyncToATargetThatRefusesABlob(t *testing.T) {
	syncCostsOne(t, func(_, target *testregistry.Registry, bad digest.Digest) {
		target.Fault(func(req *http.Request, _ int) testregistry.Fault {
			if req.URL.Query().Get("digest") == bad.String() {
				return testregistry.Status(http.StatusBadRequest, "")
			}
			return nil
		})
	})
}

// TestSyncToATargetThatIsFull: what it took before is there, and nothing has a name that is
// not whole.
func TestSyncToATargetThatIsFull(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	fillMany(source, "many", 20)
	puts := 0
	target.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if testregistry.Kind(req) != "PUT upload" {
			return nil
		}
		if puts++; puts <= 20 {
			return nil
		}
		return testregistry.Status(http.StatusInsufficientStorage, "")
	})
	report, err := syncWith(t, newFalseClock().faced(t, 4), selections(t, source.Host+"/many"), target.Host+"/mirror")
	if err == nil && len(report.Failures()) == 0 {
		t.Error("it ends well")
	}
	if got, whole := len(target.Tags("mirror/many")), len(report.Artifacts)-len(report.Failures()); got != whole {
		t.Errorf("%d tags, and %d artifacts are whole", got, whole)
	}
	target.Fault(nil)
	report, err = syncWith(t, newFalseClock().faced(t, 4), selections(t, source.Host+"/many"), target.Host+"/mirror")
	whole(t, report, err)
	testregistry.CheckSame(t, source, target, "mirror")
}

// TestSyncWithoutItsReferrers: the artifact is there, and the report says what is not.
func TestSyncWithoutItsReferrers(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	image := source.Image("app", "v1", []byte("layer"))
	signature := source.Referrer("app", image, "application/vnd.example.signature", []byte("signature"))
	source.Fault(on(signature.Digest.String(), testregistry.Status(http.StatusNotFound, "")))
	report, err := syncWith(t, newFalseClock().faced(t, 4), selections(t, source.Host+"/app"), target.Host+"/mirror")
	if err != nil {
		t.Fatal(err)
	}
	failures := report.Failures()
	if len(failures) != 1 || failures[0].Operation() != "referrers" || failures[0].Expected != 1 || failures[0].Referrers != 0 {
		t.Errorf("%+v", failures)
	}
	if got := target.Tags("mirror/app"); !slices.Equal(got, []string{"v1"}) {
		t.Errorf("the target has the tags %v", got)
	}
	source.Fault(nil)
	report, err = syncWith(t, newFalseClock().faced(t, 4), selections(t, source.Host+"/app"), target.Host+"/mirror")
	whole(t, report, err)
	testregistry.CheckSame(t, source, target, "mirror")
}

// TestSyncInChunksOfABlobThatWasWrong: a registry that refuses a whole blob gets it in chunks,
// and once more if its bytes were wrong.
func TestSyncInChunksOfABlobThatWasWrong(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	source.Image("app", "v1", testregistry.Random("layer", 1<<20))
	source.Fault(testregistry.First(1, "GET blob", testregistry.Flip(100<<10)))
	target.Fault(func(req *http.Request, _ int) testregistry.Fault {
		if req.Method == http.MethodPut && req.ContentLength > 1<<19 {
			return testregistry.Status(http.StatusRequestEntityTooLarge, "")
		}
		return nil
	})
	report, err := syncWith(t, newFalseClock().faced(t, 4), selections(t, source.Host+"/app"), target.Host+"/mirror")
	whole(t, report, err)
	testregistry.CheckSame(t, source, target, "mirror")
}
