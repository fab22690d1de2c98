package engine_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/engine/registry/transport"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// mirrored is a registry with caches that have the same content under the path hub.
type mirrored struct {
	*falseClock
	source, target *testregistry.Registry
	caches         []*testregistry.Registry
	only           bool           // the source is never asked
	asked          map[string]int // the requests of the copy to the source
	notices        notices
}

// notices is a progress that keeps the notes of a run.
type notices struct {
	engine.Silent
	mu  sync.Mutex
	all []string
}

func (n *notices) Notice(message string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, message)
}

// tell counts the notes about a mirror, and fails the test unless it is one.
func (m *mirrored) tell(t *testing.T, host string) {
	t.Helper()
	n := 0
	for _, message := range m.notices.all {
		if strings.Contains(message, "mirror "+host+" failed, and others are asked instead") {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d notes about %s in %q, want 1", n, host, m.notices.all)
	}
}

// putTeam puts ten images, two of them with large blobs, and a signature of one.
func putTeam(r *testregistry.Registry, repo string, referrers bool) {
	for _, tag := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		r.Image(repo, tag, testregistry.Random(tag, 900), []byte("shared"))
	}
	big := r.Image(repo, "big", testregistry.Random("big", 3<<20))
	other := r.Image(repo, "", testregistry.Random("other", 3<<20))
	index := r.Index(repo, "multi", big, other)
	if referrers {
		r.Referrer(repo, index, "application/vnd.example.signature", []byte("signature"))
	}
}

func newMirrored(t *testing.T, caches int) *mirrored {
	m := &mirrored{falseClock: newFalseClock(), source: testregistry.New(t, testregistry.Options{}), target: testregistry.New(t, testregistry.Options{})}
	putTeam(m.source, "team/app", true)
	for range caches {
		cache := testregistry.New(t, testregistry.Options{NoReferrersAPI: true})
		putTeam(cache, "hub/team/app", false)
		m.caches = append(m.caches, cache)
	}
	return m
}

// client returns a client that knows the caches as mirrors of the source.
func (m *mirrored) client(t *testing.T, settings func(host string, s *registry.Settings)) *registry.Client {
	return registry.New(registry.Options{
		Transport: transport.Options{
			Concurrency:     m.atOnce,
			CredentialFiles: []string{filepath.Join(t.TempDir(), "none.json")},
			StallTimeout:    m.stall,
			Retry:           transport.RetryOptions{Now: m.Now, Sleep: m.Sleep, Jitter: func() float64 { return 1 }},
		},
		Settings: func(host string) (registry.Settings, error) {
			var s registry.Settings
			if host == m.source.Host {
				s.MirrorsOnly = m.only
				for _, c := range m.caches {
					s.Mirrors = append(s.Mirrors, registry.Mirror{Registry: c.Host, Prefix: "hub"})
				}
			}
			if settings != nil {
				settings(host, &s)
			}
			return s, nil
		},
	})
}

// everyWay copies the whole repository by backups and by a sync, each from a world of its own
// that prepare changes, and compares. check sees the report and the counts.
func everyWay(t *testing.T, caches int, prepare func(m *mirrored), check func(t *testing.T, m *mirrored, report *engine.Report)) {
	t.Helper()
	for _, way := range []string{"layout/", "bundle.tgz", "sync"} {
		t.Run(strings.Trim(way, "/"), func(t *testing.T) {
			m := newMirrored(t, caches)
			prepare(m)
			report := m.copy(t, way, nil)
			check(t, m, report)
		})
	}
}

func (m *mirrored) copy(t *testing.T, way string, settings func(host string, s *registry.Settings)) *engine.Report {
	t.Helper()
	from := selections(t, m.source.Host+"/team/app")
	if way == "sync" {
		report, err := syncOf(t, m.client(t, settings), from, engine.RestoreOptions{Buffer: 2 << 20, Progress: &m.notices}, m.target.Host+"/mirror")
		whole(t, report, err)
		m.asked = m.source.Counts()
		testregistry.CheckSame(t, m.source, m.target, "mirror")
		return report
	}
	path := t.TempDir() + "/" + way
	report, err := backupWith(t, m.client(t, settings), path, from, engine.BackupOptions{Buffer: 2 << 20, Progress: &m.notices})
	whole(t, report, err)
	m.asked = m.source.Counts()
	entries(t, path)
	restoreTo(t, path, m.target.Host+"/mirror")
	testregistry.CheckSame(t, m.source, m.target, "mirror")
	return report
}

// from counts the artifacts that each mirror answered for.
func from(report *engine.Report) map[string]int {
	counts := make(map[string]int)
	for _, a := range report.Artifacts {
		counts[a.Mirror]++
	}
	return counts
}

func TestMirrorHasTheContent(t *testing.T) {
	everyWay(t, 1, func(*mirrored) {}, func(t *testing.T, m *mirrored, report *engine.Report) {
		if got := from(report)[m.caches[0].Host+"/hub"]; got != 10 {
			t.Errorf("the mirror answered for %d artifacts, want 10", got)
		}
		if n := m.asked["GET blob"]; n != 2 { // the config and the blob of the signature
			t.Errorf("%d blobs came from the registry itself, want 2: %v", n, m.asked)
		}
		if report.Referrers != 1 {
			t.Errorf("%d referrers, want 1", report.Referrers)
		}
	})
}

func TestMirrorThatIsDown(t *testing.T) {
	everyWay(t, 2, func(m *mirrored) {
		m.caches[0].Fault(func(*http.Request, int) testregistry.Fault { return testregistry.Reset() })
	}, func(t *testing.T, m *mirrored, report *engine.Report) {
		if got := from(report)[m.caches[1].Host+"/hub"]; got != 10 {
			t.Errorf("the second mirror answered for %d artifacts, want 10", got)
		}
		if n := len(m.caches[0].Requests()); n > 16 {
			t.Errorf("%d requests to a mirror that is down", n)
		}
		m.tell(t, m.caches[0].Host)
	})
}

func TestMirrorThatGoesDown(t *testing.T) {
	everyWay(t, 1, func(m *mirrored) {
		served := 0
		m.caches[0].Fault(func(req *http.Request, _ int) testregistry.Fault {
			if served++; served < 15 {
				return nil
			}
			return testregistry.Status(503, "")
		})
	}, func(t *testing.T, m *mirrored, report *engine.Report) {
		if n := len(m.caches[0].Requests()); n > 45 {
			t.Errorf("%d requests to a mirror that went down", n)
		}
		m.tell(t, m.caches[0].Host)
	})
}

func TestMirrorThatLacksATag(t *testing.T) {
	everyWay(t, 1, func(m *mirrored) {
		m.caches[0].Fault(func(req *http.Request, _ int) testregistry.Fault {
			if strings.HasSuffix(req.URL.Path, "/manifests/b") {
				return testregistry.Status(404, "")
			}
			return nil
		})
	}, func(t *testing.T, m *mirrored, report *engine.Report) {
		for _, a := range report.Artifacts {
			if (a.Mirror == "") != strings.HasSuffix(a.Reference, ":b") {
				t.Errorf("%s came from %q", a.Reference, a.Mirror)
			}
		}
	})
}

func TestMirrorThatAsksForAPause(t *testing.T) {
	everyWay(t, 1, func(m *mirrored) {
		m.caches[0].Fault(func(*http.Request, int) testregistry.Fault { return testregistry.Status(429, "600") })
	}, func(t *testing.T, m *mirrored, report *engine.Report) {
		if got := from(report)[""]; got != 10 {
			t.Errorf("the registry itself answered for %d artifacts, want 10", got)
		}
		if n := len(m.caches[0].Requests()); n > 2*m.atOnce {
			t.Errorf("%d requests during the pause", n)
		}
		for _, d := range m.pauses() {
			if d > time.Minute {
				t.Errorf("the run waited for %s", d)
			}
		}
	})
}

// TestMirrorWithoutABlob also answers 404 to windows.
func TestMirrorWithoutABlob(t *testing.T) {
	everyWay(t, 1, func(m *mirrored) {
		m.caches[0].Fault(testregistry.Always("GET blob", testregistry.Status(404, "")))
	}, func(t *testing.T, m *mirrored, report *engine.Report) {
		if got := from(report)[m.caches[0].Host+"/hub"]; got != 10 {
			t.Errorf("the mirror answered for %d artifacts, want 10", got)
		}
	})
}

func TestMirrorWithDamagedBlobs(t *testing.T) {
	everyWay(t, 1, func(m *mirrored) {
		m.caches[0].Fault(testregistry.Always("GET blob", testregistry.Flip(3)))
	}, func(*testing.T, *mirrored, *engine.Report) {})
}

func TestMirrorThatCutsBlobs(t *testing.T) {
	everyWay(t, 1, func(m *mirrored) {
		m.caches[0].Fault(testregistry.Always("GET blob", testregistry.Cut(5)))
	}, func(*testing.T, *mirrored, *engine.Report) {})
}

func TestMirrorWithDamagedManifests(t *testing.T) {
	everyWay(t, 1, func(m *mirrored) {
		m.caches[0].Fault(testregistry.Always("GET manifest", testregistry.Flip(3)))
	}, func(*testing.T, *mirrored, *engine.Report) {})
}

func TestMirrorThatStalls(t *testing.T) {
	everyWay(t, 1, func(m *mirrored) {
		m.stall = 100 * time.Millisecond
		released := make(chan struct{})
		m.caches[0].Fault(testregistry.Always("GET blob", testregistry.StallAt(5, released)))
	}, func(*testing.T, *mirrored, *engine.Report) {})
}

// TestMirrorWithAnotherDigest: without a pin the first that answers decides, and the report
// says which that is. A pin asks for the digest.
func TestMirrorWithAnotherDigest(t *testing.T) {
	m := newMirrored(t, 1)
	want := m.source.Image("team/app", "moved", []byte("new"))
	stale := m.caches[0].Image("hub/team/app", "moved", []byte("old"))
	name := m.source.Host + "/team/app:moved"
	path := t.TempDir() + "/layout/"
	report, err := backupWith(t, m.client(t, nil), path, selections(t, name), engine.BackupOptions{})
	whole(t, report, err)
	if a := report.Artifacts[0]; a.Digest != stale.Digest || a.Mirror != m.caches[0].Host+"/hub" {
		t.Errorf("%s from %q", a.Digest, a.Mirror)
	}
	report, err = backupWith(t, m.client(t, nil), t.TempDir()+"/pinned/", selections(t, name+"@"+want.Digest.String()), engine.BackupOptions{})
	whole(t, report, err)
	if a := report.Artifacts[0]; a.Digest != want.Digest || a.Mirror != "" || !a.Pinned {
		t.Errorf("pinned: %s from %q", a.Digest, a.Mirror)
	}
}

// TestOnlyMirrors: the registry itself gets no request, and the referrers of all mirrors
// count.
func TestOnlyMirrors(t *testing.T) {
	everyWay(t, 2, func(m *mirrored) {
		m.only = true
		signed := testregistry.New(t, testregistry.Options{})
		putTeam(signed, "hub/team/app", true)
		m.caches[1] = signed
	}, func(t *testing.T, m *mirrored, report *engine.Report) {
		if len(m.asked) != 0 {
			t.Errorf("requests to the registry itself: %v", m.asked)
		}
		if report.Referrers != 1 {
			t.Errorf("%d referrers, want 1", report.Referrers)
		}
	})
}

// TestCredentialsOfMirrors: each gets its own, and no other.
func TestCredentialsOfMirrors(t *testing.T) {
	for name, token := range map[string]bool{"basic": false, "token": true} {
		t.Run(name, func(t *testing.T) {
			m := newMirrored(t, 0)
			passwords := make(map[string]string)
			locked := func(password, repo string, referrers bool) *testregistry.Registry {
				r := testregistry.New(t, testregistry.Options{Token: token, Username: "me", Password: password})
				putTeam(r, repo, referrers)
				passwords[r.Host] = password
				r.Fault(func(req *http.Request, _ int) testregistry.Fault {
					if _, sent, basic := req.BasicAuth(); basic && sent != password {
						t.Errorf("%s got the password %s", req.Host, sent)
					}
					return nil
				})
				return r
			}
			m.source = locked("of-the-source", "team/app", true)
			m.caches = []*testregistry.Registry{locked("of-the-cache", "hub/team/app", false)}
			report := m.copy(t, "layout/", func(host string, s *registry.Settings) {
				if passwords[host] != "" {
					s.Credential = &auth.Credential{Username: "me", Password: passwords[host]}
				}
			})
			if got := from(report)[m.caches[0].Host+"/hub"]; got != 10 {
				t.Errorf("the mirror answered for %d artifacts, want 10", got)
			}
		})
	}
}

// TestMirrorThatRefuses: the registry itself is asked, and the user is told once.
func TestMirrorThatRefuses(t *testing.T) {
	everyWay(t, 1, func(m *mirrored) {
		m.caches[0].Fault(func(*http.Request, int) testregistry.Fault { return testregistry.Status(403, "") })
	}, func(t *testing.T, m *mirrored, report *engine.Report) { m.tell(t, m.caches[0].Host) })
}

// TestMirrorsThatAllFail: the error is of the registry itself, and names the mirrors that
// failed.
func TestMirrorsThatAllFail(t *testing.T) {
	for name, only := range map[string]bool{"with the registry": false, "only mirrors": true} {
		t.Run(name, func(t *testing.T) {
			m := newMirrored(t, 2)
			m.only = only
			broken := func(*http.Request, int) testregistry.Fault { return testregistry.Status(503, "") }
			for _, r := range append(slices.Clone(m.caches), m.source) {
				r.Fault(broken)
			}
			report, err := backupWith(t, m.client(t, nil), t.TempDir()+"/layout/", selections(t, m.source.Host+"/team/app:a"), engine.BackupOptions{})
			if err == nil || len(report.Failures()) != 1 {
				t.Fatal(err, report)
			}
			text := report.Failures()[0].Err.Error()
			if !strings.HasPrefix(text, m.source.Host+"/team/app:a: resolve: ") || !strings.Contains(text, "mirror "+m.caches[0].Host+"/hub: ") {
				t.Error(text)
			}
		})
	}
}

// TestMirrorThatHiccups: where the registry itself cannot be reached, a mirror is asked again
// with all retries.
func TestMirrorThatHiccups(t *testing.T) {
	m := newMirrored(t, 1)
	m.caches[0].Fault(func(req *http.Request, n int) testregistry.Fault {
		if n > 3 {
			return nil
		}
		return testregistry.Status(503, "")
	})
	m.source.Fault(func(*http.Request, int) testregistry.Fault { return testregistry.Status(403, "") })
	all := selections(t, m.source.Host+"/team/app:a")
	all[0].Referrers = false
	report, err := backupWith(t, m.client(t, nil), t.TempDir()+"/layout/", all, engine.BackupOptions{})
	whole(t, report, err)
}
