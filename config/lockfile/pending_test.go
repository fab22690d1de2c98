package lockfile

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/oras-mirror/oras-mirror/config"
	"github.com/oras-mirror/oras-mirror/config/filter"
)

// TestLockPending writes and loads a lock with tags that wait, by both parsers.
func TestLockPending(t *testing.T) {
	lock := &Lock{Artifacts: locked(t), Repositories: []Repository{{reference(t, "[::1]:5000/a"), 7}}, Pending: []Pending{
		{reference(t, "ghcr.io/acme/app:v3"), someSHA512, "2026-11-26"}, {reference(t, "[::1]:5000/a:v1"), someSHA256, "2026-11-25"},
	}}
	var b strings.Builder
	if _, err := lock.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	const want = "pending:\n  - {reference: \"[::1]:5000/a:v1\", digest: " + someSHA256 + ", firstSeen: \"2026-11-25\"}\n" +
		"  - {reference: ghcr.io/acme/app:v3, digest: " + someSHA512 + ", firstSeen: \"2026-11-26\"}\nrepositories:\n"
	if !strings.Contains(b.String(), "}\n"+want) {
		t.Errorf("got\n%s", b.String())
	}
	if _, ok := scanAll([]byte(b.String())); !ok {
		t.Error("it is not read line by line")
	}
	for _, text := range []string{b.String(), "# reviewed\n" + b.String()} {
		read, err := Parse("mirror.lock.yaml", []byte(text))
		if err != nil || !reflect.DeepEqual(read, lock.sorted()) {
			t.Errorf("got %+v, %v", read, err)
		}
	}
	if n := len(lock.Selections("x")); n != len(lock.Artifacts) {
		t.Errorf("%d artifacts are selected, want %d: what waits is not", n, len(lock.Artifacts))
	}
}

func TestLockPendingFaults(t *testing.T) {
	good := "  - {reference: a.io/b:v1, digest: " + someSHA256 + ", firstSeen: \"2026-11-26\"}\n"
	for want, lines := range map[string]string{
		"pending[1]: a.io/b:v1 is already in pending[0]": "pending:\n" + good + good,
		"is not a tag":       "pending:\n" + strings.Replace(good, ":v1", "", 1),
		"invalid day":        "pending:\n" + strings.Replace(good, "11-26", "02-30", 1),
		"put it in quotes":   "pending:\n" + strings.ReplaceAll(good, `"`, ""),
		"digest":             "pending:\n" + strings.Replace(good, "sha256:", "sha256:x", 1),
		"firstSeen: missing": "pending:\n" + strings.Replace(good, `, firstSeen: "2026-11-26"`, "", 1),
		"unknown key":        "pending:\n" + strings.Replace(good, "firstSeen", "seen", 1),
	} {
		_, err := Parse("lock", []byte("apiVersion: "+config.APIVersion+"\nkind: MirrorLock\nartifacts: []\n"+lines))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for want, p := range map[string]Pending{
		"is not a tag": {reference(t, "a.io/b"), someSHA256, "2026-11-26"}, "invalid day": {reference(t, "a.io/b:v1"), someSHA256, "26.11."},
	} {
		if _, err := (&Lock{Pending: []Pending{p}}).WriteTo(new(strings.Builder)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestPendingUntil holds that a tag is never younger than the age when it is selected, also one
// that was first seen in the last second of a day, and that the answer changes at midnight only.
func TestPendingUntil(t *testing.T) {
	for text, want := range map[string]string{
		"72h": "2024-03-02", "3d": "2024-03-02", "1ns": "2024-02-29", "24h": "2024-02-29", "25h": "2024-03-01", "36500d": "2124-02-04",
	} {
		var a filter.Age
		if err := a.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		until := Pending{FirstSeen: "2024-02-27"}.Until(a)
		if at, _ := time.Parse(time.DateOnly, until); at.Sub(time.Date(2024, 2, 27, 23, 59, 59, 0, time.UTC)) < time.Duration(a) {
			t.Errorf("%s: %s is too early", text, until)
		}
		if until != want {
			t.Errorf("%s: got %s, want %s", text, until, want)
		}
	}
	if got := Today(time.Date(2024, 2, 28, 23, 0, 0, 0, time.FixedZone("", -2*3600))); got != "2024-02-29" {
		t.Errorf("got %s, want the day in UTC", got)
	}
}
