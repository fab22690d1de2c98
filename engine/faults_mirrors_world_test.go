package engine_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

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
