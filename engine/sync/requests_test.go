package sync_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/sync"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// TestRequestsOfImages: nothing is asked that need not be.
func TestRequestsOfImages(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	fillMany(source, "many", 200)
	from := selections(t, false, source.Host+"/many")
	run(t, from, target.Host)
	testregistry.CheckCounts(t, source, map[string]int{"GET tags": 1, "HEAD manifest": 200, "GET manifest": 200, "GET blob": 401})
	testregistry.CheckCounts(t, target, map[string]int{"HEAD manifest": 1, "GET tags": 1, "HEAD blob": 1, "POST upload": 401, "PUT upload": 401, "PUT manifest": 200})

	source.ResetCounts()
	target.ResetCounts()
	run(t, from, target.Host)
	testregistry.CheckCounts(t, source, map[string]int{"GET tags": 1, "HEAD manifest": 200})
	testregistry.CheckCounts(t, target, map[string]int{"HEAD manifest": 200})
}

// TestRequestsOfIndexes: an index that the target has costs its GET, and a HEAD for each
// child that is selected.
func TestRequestsOfIndexes(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	for i := range 10 {
		name := fmt.Sprint("v", i)
		source.Index("app", name, source.Image("app", "", []byte("amd64"+name)), source.Image("app", "", []byte("arm64"+name)))
	}
	from := selections(t, false, source.Host+"/app")
	run(t, from, target.Host)
	source.ResetCounts()
	target.ResetCounts()
	run(t, from, target.Host)
	testregistry.CheckCounts(t, source, map[string]int{"GET tags": 1, "HEAD manifest": 10, "GET manifest": 10})
	testregistry.CheckCounts(t, target, map[string]int{"HEAD manifest": 10 + 20})
}

// TestForecastIsWhatIsDone: the numbers of a forecast are those that the run then has.
func TestForecastIsWhatIsDone(t *testing.T) {
	for _, referrers := range []bool{true, false} {
		for _, api := range []bool{true, false} {
			t.Run(fmt.Sprint(referrers, api), func(t *testing.T) {
				source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{NoReferrersAPI: !api})
				repositories := fill(source)
				fillMany(source, "many", 20)
				from := selections(t, referrers, append(repositories, source.Host+"/many")...)
				foreseen(t, from, target.Host)
				source.Image("many", "v3", []byte("moved"))
				source.Image("many", "new", []byte("new"), []byte("shared by all"))
				foreseen(t, from, target.Host)
				foreseen(t, from, target.Host, source.Host+"/copy")
			})
		}
	}
}

// TestParts copies a few artifacts at a time: everything arrives, a blob that a part before
// sent is not sent again, and the forecast has the bytes.
func TestParts(t *testing.T) {
	sync.SetPartSize(t, 3)
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	repositories := fill(source)
	base := testregistry.Random("base", 100<<10)
	for i := range 10 {
		repo := fmt.Sprint("team/of", i)
		source.Image(repo, "v1", base, []byte(repo))
		repositories = append(repositories, source.Host+"/"+repo)
	}
	from := selections(t, true, repositories...)
	foreseen(t, from, target.Host+"/mirror")
	testregistry.CheckSame(t, source, target, "mirror")
	foreseen(t, from, target.Host+"/mirror")
	if got := target.Counts(); got["mount"] < 9 {
		t.Errorf("%v", got)
	}
	report, err := try(t, append(from, selections(t, true, source.Host+"/absent:v1")...), engine.SyncOptions{}, target.Host+"/mirror")
	if err != nil || len(report.Failures()) != 1 || !report.Planned {
		t.Errorf("%v: %+v", err, report.Failures())
	}
	if _, err := try(t, selections(t, true, source.Host+"/absent:v1"), engine.SyncOptions{}, target.Host); !errors.Is(err, engine.ErrNothing) {
		t.Errorf("nothing is there: %v", err)
	}
}

// foreseen holds the forecast of a sync against the sync.
func foreseen(t *testing.T, from []config.Selection, to ...string) {
	t.Helper()
	c := clientOf(16)
	f, err := forecast(t, c, from, to...)
	if err != nil {
		t.Fatal(err)
	}
	c = clientOf(16)
	report, err := tryBy(t, c, from, engine.SyncOptions{}, to...)
	whole(t, report, err)
	// A later part finds the repositories that one before made, which a forecast does not.
	if did := requests(c); f.Requests != did && len(f.Artifacts) <= sync.PartSize() {
		t.Errorf("%d requests, foreseen were %d", did, f.Requests)
	}
	if f.Transfer != report.Moved || f.There != report.There || f.Shared != report.Shared {
		t.Errorf("moved %d, there %d, shared %d; foreseen were %d, %d, %d", report.Moved, report.There, report.Shared, f.Transfer, f.There, f.Shared)
	}
	if len(f.Artifacts) != len(report.Artifacts) {
		t.Fatalf("%d artifacts, foreseen were %d", len(report.Artifacts), len(f.Artifacts))
	}
	for i, a := range report.Artifacts {
		if o := f.Artifacts[i]; o.Name != a.Reference || o.Target != a.Target || (o.State == engine.StateUnchanged) != a.Unchanged || o.Size != a.Bytes || len(o.Referrers) != a.Referrers {
			t.Errorf("%+v, foreseen was %+v", a, o)
		}
	}
}
