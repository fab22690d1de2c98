package engine_test

import (
	"slices"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/oras-mirror/oras-mirror/config/filter"
	"github.com/oras-mirror/oras-mirror/config/lockfile"
	"github.com/oras-mirror/oras-mirror/engine"
	"github.com/oras-mirror/oras-mirror/engine/backup"
	"github.com/oras-mirror/oras-mirror/internal/testregistry"
)

// aged is a repository whose tags have a minAge of two days, with its lock.
type aged struct {
	*testing.T
	registry *testregistry.Registry
	tags     filter.Tags
	lock     *lockfile.Lock // nil before the first
}

func newAged(t *testing.T, tags filter.Tags) *aged {
	if err := tags.MinAge.UnmarshalText([]byte("2d")); err != nil {
		t.Fatal(err)
	}
	return &aged{T: t, registry: testregistry.New(t, testregistry.Options{}), tags: tags}
}

// push puts an image under a tag.
func (a *aged) push(tag, content string) ocispec.Descriptor {
	return a.registry.Image("app", tag, []byte(content))
}

// relock makes the lock of a day, and returns it with its tags, and with those that wait.
func (a *aged) relock(today string, quarantine ...*lockfile.Lock) (locked, waiting string) {
	a.Helper()
	all := selections(a.T, a.registry.Host+"/app")
	all[0].Tags = a.tags
	o := engine.BackupOptions{}
	for _, before := range append(quarantine, a.lock) {
		if before != nil {
			o.Quarantine = &engine.Quarantine{Before: before, Today: today}
			break
		}
	}
	f, err := backup.Forecast(a.Context(), client(4), all, backup.Output{}, o)
	if err != nil {
		a.Fatal(err)
	}
	if a.lock, err = f.Lock(); err != nil {
		a.Fatal(err)
	}
	var tags, waits []string
	for _, l := range a.lock.Artifacts {
		if l.Reference.Digest != "" {
			a.Errorf("%s is locked with an unknown digest", l.Reference)
		}
		tags = append(tags, l.Reference.Tag)
	}
	for _, w := range f.Waiting {
		waits = append(waits, w.Reference.Tag+" "+w.FirstSeen+" until "+w.Until)
	}
	return strings.Join(tags, " "), strings.Join(waits, ", ")
}

func (a *aged) expect(today, locked, waiting string, quarantine ...*lockfile.Lock) {
	a.Helper()
	if l, w := a.relock(today, quarantine...); l != locked || w != waiting {
		a.Errorf("%s: locked %q and waiting %q, want %q and %q", today, l, w, locked, waiting)
	}
	var first, second strings.Builder
	if _, err := a.lock.WriteTo(&first); err != nil {
		a.Fatal(err)
	}
	a.relock(today)
	if _, err := a.lock.WriteTo(&second); err != nil || first.String() != second.String() {
		a.Errorf("another lock of the same day differs: %v\n%s\n%s", err, first.String(), second.String())
	}
}

func (a *aged) digest(tag string) string {
	at := slices.IndexFunc(a.lock.Artifacts, func(l lockfile.Artifact) bool { return l.Reference.Tag == tag })
	if at < 0 {
		return ""
	}
	return a.lock.Artifacts[at].Digest.String()
}

// TestMinAge follows a repository over some days.
func TestMinAge(t *testing.T) {
	a := newAged(t, filter.Tags{})
	old := a.push("v1", "one")
	a.expect("2026-11-01", "v1", "") // the first lock takes all
	a.push("v2", "two")
	moved := a.push("v1", "one again")
	const both = "v1 2026-11-02 until 2026-11-05, v2 2026-11-02 until 2026-11-05"
	a.expect("2026-11-02", "v1", both)
	a.expect("2026-11-04", "v1", both)
	if a.digest("v1") != old.Digest.String() {
		t.Errorf("the moved tag is locked as %s before its time", a.digest("v1"))
	}
	a.push("v2", "two again") // starts over
	a.expect("2026-11-05", "v1", "v2 2026-11-05 until 2026-11-08")
	if a.digest("v1") != moved.Digest.String() {
		t.Errorf("the moved tag is locked as %s after its time", a.digest("v1"))
	}
	a.expect("2026-11-08", "v1 v2", "")
}

// TestMinAgeOfATagThatMovesBack forgets the digest that a tag had meanwhile.
func TestMinAgeOfATagThatMovesBack(t *testing.T) {
	a := newAged(t, filter.Tags{})
	old := a.push("v1", "one")
	a.expect("2026-11-01", "v1", "")
	a.push("v1", "bad")
	a.expect("2026-11-02", "v1", "v1 2026-11-02 until 2026-11-05")
	a.push("v1", "one")
	a.expect("2026-11-05", "v1", "")
	a.push("v1", "bad")
	a.expect("2026-11-06", "v1", "v1 2026-11-06 until 2026-11-09")
	if a.digest("v1") != old.Digest.String() {
		t.Errorf("locked as %s, want %s", a.digest("v1"), old.Digest)
	}
}

// TestMinAgeAndLatest holds that a tag that waits does not push an older one out.
func TestMinAgeAndLatest(t *testing.T) {
	a := newAged(t, filter.Tags{Latest: 2})
	for _, tag := range []string{"v1", "v2", "v3"} {
		a.push(tag, tag)
	}
	a.expect("2026-11-01", "v2 v3", "")
	a.push("v4", "v4")
	a.expect("2026-11-02", "v2 v3", "v4 2026-11-02 until 2026-11-05")
	a.push("v5", "v5")
	a.expect("2026-11-05", "v3 v4", "v5 2026-11-05 until 2026-11-08")
	a.expect("2026-11-08", "v4 v5", "")
}

// TestQuarantine lets the tags of a first lock wait, too.
func TestQuarantine(t *testing.T) {
	a := newAged(t, filter.Tags{Names: []string{"v1"}})
	a.push("v1", "one")
	a.expect("2026-11-01", "", "v1 2026-11-01 until 2026-11-04", new(lockfile.Lock))
	a.expect("2026-11-04", "v1", "")
}

// TestMinAgeIsJudgedOnWhatIsLocked moves a tag between the two times that a lock asks for it.
func TestMinAgeIsJudgedOnWhatIsLocked(t *testing.T) {
	a := newAged(t, filter.Tags{})
	old := a.push("v1", "one")
	a.expect("2026-11-01", "v1", "")
	a.registry.ResetCounts()
	a.relock("2026-11-02")
	for _, request := range a.registry.Requests() {
		if strings.HasPrefix(request, "GET ") && strings.HasSuffix(request, "/manifests/v1") {
			t.Errorf("%s asks for the tag again after it was judged", request)
		}
	}
	if a.digest("v1") != old.Digest.String() {
		t.Errorf("locked as %s, want %s", a.digest("v1"), old.Digest)
	}
}

// TestMinAgeFailsIfATagCannotBeJudged holds that a tag without a digest is not taken for old.
func TestMinAgeFailsIfATagCannotBeJudged(t *testing.T) {
	a := newAged(t, filter.Tags{Names: []string{"v1", "v2"}})
	a.push("v1", "one")
	all := selections(t, a.registry.Host+"/app")
	all[0].Tags = a.tags
	f, err := backup.Forecast(t.Context(), client(4), all, backup.Output{}, engine.BackupOptions{Quarantine: &engine.Quarantine{Before: new(lockfile.Lock), Today: "2026-11-01"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Lock(); err == nil || !strings.Contains(err.Error(), "/app:v2") {
		t.Errorf("got %v, want an error of v2", err)
	}
}
