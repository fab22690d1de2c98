package engine_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/restore"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// meter follows what a run says of its bytes.
type meter struct {
	engine.Silent
	mu              sync.Mutex // guards all below
	moved, expected int64
	over, back      int64 // the most that moved was ahead of expected; bytes that were taken back
}

func (m *meter) Expect(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expected += bytes
	m.over = max(m.over, m.moved-m.expected)
}

func (m *meter) Moved(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moved += n
	m.over = max(m.over, m.moved-m.expected)
	m.back = max(m.back, -n)
}

// TestWhatMovesAgainIsNoProgress: whatever is fetched or pushed once more, a run never
// has moved more than was expected, and all of that in the end.
func TestWhatMovesAgainIsNoProgress(t *testing.T) {
	for name, h := range map[string]hurt{
		"nothing": func(*testregistry.Registry) {},
		"broken at half": func(r *testregistry.Registry) {
			r.Fault(everyNth(2, bytesOfBlobs, func(req *http.Request) testregistry.Fault {
				if testregistry.Kind(req) == "PUT upload" {
					return testregistry.ResetAfter(max(req.ContentLength/2, 1))
				}
				return resetAtHalf()
			}))
		},
		"wrong bytes": func(r *testregistry.Registry) { r.Fault(firstOfEach("GET blob", testregistry.Flip(3))) },
		"unavailable": func(r *testregistry.Registry) {
			r.Fault(everyNth(3, bytesOfBlobs, func(*http.Request) testregistry.Fault { return testregistry.Status(503, "") }))
		},
		"mounts fail":  func(r *testregistry.Registry) { r.Fault(testregistry.Always("mount", testregistry.Status(500, ""))) },
		"mounts lie":   func(r *testregistry.Registry) { r.Fault(testregistry.Always("mount", answers(201))) },
		"one is wrong": func(r *testregistry.Registry) { r.Fault(testregistry.First(1, "GET blob", testregistry.Cut(1))) },
	} {
		for _, out := range []string{"layout/", "bundle.tgz", "bundle.tar"} {
			t.Run(name+" "+out, func(t *testing.T) {
				for _, ranges := range []bool{true, false} {
					if !ranges && name != "broken at half" {
						continue // it makes no difference
					}
					source, target := testregistry.New(t, testregistry.Options{NoRange: !ranges}), testregistry.New(t, testregistry.Options{})
					repos := append(fillForFaults(source), source.Host+"/copy")
					source.Image("copy", "v1", testregistry.Random("large", 1<<20))
					h(source)
					h(target)
					path, clock, m := t.TempDir()+"/"+out, newFalseClock(), new(meter)
					o := tight
					o.Progress = m
					report, err := backupWith(t, clock.faced(t, 4), path, selections(t, repos...), o)
					whole(t, report, err)
					m.check(t, "backup")
					m = new(meter)
					report, err = restore.Run(t.Context(), clock.faced(t, 4), openFor(t, path, out == "bundle.tar"), engine.RestoreOptions{
						Targets: []config.Target{{Registry: target.Host}}, Progress: m, Buffer: 2 << 20, TempDir: t.TempDir()})
					whole(t, report, err)
					m.check(t, "restore")
				}
			})
		}
	}
}

func (m *meter) check(t *testing.T, what string) {
	t.Helper()
	if m.over > 0 || m.back > 0 || m.moved != m.expected || m.moved == 0 {
		t.Errorf("%s: %d of %d bytes moved, once %d too many, %d taken back", what, m.moved, m.expected, m.over, m.back)
	}
}

// TestWhatIsGivenUpIsNotExpected: in the end all that was expected has moved, also
// where artifacts failed.
func TestWhatIsGivenUpIsNotExpected(t *testing.T) {
	source, target := testregistry.New(t, testregistry.Options{}), testregistry.New(t, testregistry.Options{})
	fillMany(source, "many", 5)
	bad, large := testregistry.Random("bad", 3000), testregistry.Random("large", 4<<20)
	source.Image("app", "bad", bad)
	source.Image("app", "large", large)
	path := t.TempDir() + "/whole.tgz"
	backUp(t, path, selections(t, source.Host+"/many", source.Host+"/app"))
	broken := func(data []byte, kind string, fault testregistry.Fault) func(*http.Request, int) testregistry.Fault {
		name := digest.FromBytes(data).String()
		return func(req *http.Request, _ int) testregistry.Fault {
			if testregistry.Kind(req) != kind || !strings.HasSuffix(req.URL.Path, name) && req.URL.Query().Get("digest") != name {
				return nil
			}
			return fault
		}
	}
	for name, data := range map[string][]byte{"small": bad, "in windows": large} {
		for _, out := range []string{"layout/", "bundle.tgz"} {
			m := new(meter)
			o := tight
			o.Progress = m
			source.Fault(broken(data, "GET blob", testregistry.Cut(100)))
			report, err := backupWith(t, newFalseClock().faced(t, 4), t.TempDir()+"/"+out, selections(t, source.Host+"/many", source.Host+"/app"), o)
			if err != nil || len(report.Failures()) != 1 {
				t.Fatalf("%v, %v", err, report.Failures())
			}
			m.check(t, "backup of "+name+" to "+out)
		}
		for _, pipe := range []bool{false, true} {
			m := new(meter)
			target.Fault(broken(data, "PUT upload", testregistry.Status(http.StatusForbidden, "")))
			report, err := restore.Run(t.Context(), newFalseClock().faced(t, 4), openFor(t, path, pipe), engine.RestoreOptions{
				Targets: []config.Target{{Registry: target.Host, Namespace: strings.Fields(name)[0]}}, Progress: m, Buffer: 2 << 20})
			if err != nil || len(report.Failures()) != 1 {
				t.Fatalf("%v, %v", err, report.Failures())
			}
			m.check(t, "restore of "+name)
		}
	}
}
