package engine_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/registry"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

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
